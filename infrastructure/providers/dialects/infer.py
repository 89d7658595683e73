"""The infer call of the KServe v2 protocol (kserve/open-inference-protocol at d49cc23): tensors in, tensors out."""

from typing import Any
from urllib.parse import quote

from domain.errors import UnsupportedFeature
from domain.model.calls import EmbedCall
from domain.model.events import Embeddings, Usage
from domain.ports import Target
from infrastructure.providers.dialects.openai_embed import in_order
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig, rows


class InferEmbed:
    """Reads text_tensor and vector_tensor, which are named by each model, and max_batch_size. Tokens are not counted.

    A text is a row of one string, its vector a row of numbers; rows come one after the other.
    """

    def render(self, target: Target, call: EmbedCall) -> Request:
        model, texts = target.model.name, list(call.texts)
        if call.dimensions is not None:
            raise UnsupportedFeature("vectors of another length", model)
        given = {"name": entered(target.form, "text_tensor"), "shape": [len(texts), 1], "datatype": "BYTES"}
        wanted = {"name": entered(target.form, "vector_tensor")}
        body = {"inputs": [{**given, "data": texts}], "outputs": [wanted]}
        return Request(f"v2/models/{quote(model, safe='')}/infer", body)

    def parse(self, body: Any, count: int) -> Embeddings:
        """BadRequestUpstream unless there is one tensor, with a row of the same length for each of `count` texts."""
        tensor = dig(body, "outputs", 0)
        numbers, shape = rows(dig(tensor, "data")), rows(dig(tensor, "shape"))
        length = len(numbers) // count
        if not numbers or shape[:1] != [count] or length * count != len(numbers):
            raise not_understood(f"the answer is no tensor of {count} rows")
        vectors = [numbers[at : at + length] for at in range(0, len(numbers), length)]
        return Embeddings(in_order(vectors, count), Usage())

    def batch(self, target: Target) -> int:
        return int(entered(target.form, "max_batch_size", "1"))
