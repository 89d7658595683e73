"""Says after the caller what it was told, each word in an answer of its own (decoupled)."""

import numpy as np
import triton_python_backend_utils as triton


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            for answer in self.answers(request):
                sender.send(answer)
            sender.send(flags=triton.TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    def answers(self, request):
        text = triton.get_input_tensor_by_name(request, "text_input").as_numpy()[0].decode()
        for word in ("echo:", *text.split()):
            if word == "BOOM":
                yield triton.InferenceResponse(error=triton.TritonError("model blew up"))
                return
            yield triton.InferenceResponse([triton.Tensor("text_output", np.array([f"{word} "], dtype=object))])
