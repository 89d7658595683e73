"""Says after the caller what it was told, up to a stop word and in no more words than it may, with its parameters."""

import json

import numpy as np
import triton_python_backend_utils as triton


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        text, stops = (self.values(request, name) for name in ("text_input", "stop_words"))
        if text[0].startswith(b"BOOM"):
            return triton.InferenceResponse(error=triton.TritonError("model blew up"))
        words = ["echo:", *text[0].decode().split()]
        end = next((at for at, word in enumerate(words) if word.encode() in stops), len(words))
        said = words[: min([end, *self.values(request, "max_tokens")])]
        if parameters := json.loads(request.parameters() or "{}"):
            said.append(f"params={json.dumps(parameters, sort_keys=True)}")
        output = triton.Tensor("text_output", np.array([" ".join(said)], dtype=object))
        return triton.InferenceResponse([output])

    def values(self, request, name):
        tensor = triton.get_input_tensor_by_name(request, name)
        return [] if tensor is None else list(tensor.as_numpy())
