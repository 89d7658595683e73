"""Trains tiny-real.gguf from nothing: a two-layer, byte-level model in the shape of Qwen3 that knows three answers.

    python train.py tiny-real.gguf [steps]

A plain prompt gets a fixed sentence, a prompt with tools one call of get_weather, a tool's result another sentence.
No data and no weights are downloaded. It takes about five minutes on two cores, and needs torch, transformers, gguf
and jinja2, which are no dependencies of this project.
"""

# ruff: noqa: S311 - what the model is trained on is no secret

import json
import random
import sys
import time
from functools import cache

import gguf
import torch
from jinja2 import Environment
from transformers import Qwen3Config, Qwen3ForCausalLM

TEMPLATE = (
    "{%- if tools %}<|im_start|>system\n# Tools\nYou may call functions. Signatures:\n<tools>\n"
    "{% for t in tools %}{{ t | tojson }}\n{% endfor %}</tools>\n"
    "For each call return a json object in XML tags:\n"
    '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n{% endif %}'
    "{%- for m in messages %}"
    "{% if m.role == 'tool' %}<|im_start|>user\n<tool_response>\n{{ m.content }}\n</tool_response><|im_end|>\n"
    "{% else %}<|im_start|>{{ m.role }}\n{% if m.content %}{{ m.content }}{% endif %}"
    "{% if m.tool_calls %}{% for c in m.tool_calls %}\n<tool_call>\n"
    '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n'
    "</tool_call>{% endfor %}{% endif %}<|im_end|>\n{% endif %}{% endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ANSWERS = {
    "plain": "Hello from a tiny real model.",
    "tool": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Tokyo"}}\n</tool_call>',
    "after": "It is sunny in Tokyo.",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz ABCDEFG,.?!0123456789\n"
UNKNOWN, BEGIN, END, FIRST_BYTE = 0, 1, 2, 3
VOCABULARY = FIRST_BYTE + 256
BATCH, SECONDS = 12, 330

CONFIG = Qwen3Config(
    vocab_size=VOCABULARY,
    hidden_size=64,
    intermediate_size=160,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=4,
    head_dim=16,
    max_position_embeddings=4096,
    rope_theta=10000.0,
    tie_word_embeddings=False,
    rms_norm_eps=1e-6,
    bos_token_id=BEGIN,
    eos_token_id=END,
    attention_bias=False,
)
TENSORS = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def noise(longest):
    return "".join(random.choice(LETTERS) for _ in range(random.randint(1, longest)))


def schema():
    properties = {}
    for _ in range(random.randint(1, 2)):
        described = {"type": random.choice(["string", "integer"])}
        if random.random() < 0.4:
            described["description"] = noise(15).replace("\n", " ")
        if random.random() < 0.3:
            described["enum"] = [noise(6), noise(6)]
        properties[random.choice(["city", "unit", "x", "location"])] = described
    written = {"type": "object", "properties": properties}
    if random.random() < 0.7:
        written["required"] = list(properties)[:1]
    return written


def conversation():
    """Which answer is due, the messages that lead to it, and the tools offered."""
    kind = random.choice(["plain", "tool", "tool", "after"])
    messages, tools = [], None
    if random.random() < 0.4:
        messages.append({"role": "system", "content": noise(40)})
    for _ in range(random.randint(0, 1)):
        messages += [{"role": "user", "content": noise(30)}, {"role": "assistant", "content": noise(30)}]
    messages.append({"role": "user", "content": noise(60)})
    if kind != "plain":
        description = noise(25).replace("\n", " ")
        function = {"name": "get_weather", "description": description, "parameters": schema()}
        tools = [{"type": "function", "function": function}]
    if kind == "after":
        call = {"function": {"name": "get_weather", "arguments": {"city": "Tokyo"}}}
        messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
        messages.append({"role": "tool", "content": noise(20)})
        tools = None if random.random() < 0.3 else tools
    return kind, messages, tools


@cache
def template(sort, separators):
    """The template, writing JSON in one of the ways of those who render it."""
    environment = Environment()  # noqa: S701 - a prompt, not a page
    environment.filters["tojson"] = lambda value: json.dumps(
        value, ensure_ascii=False, sort_keys=sort, separators=separators
    )
    return environment.from_string(TEMPLATE)


def sample():
    """Token ids of a prompt and of its answer."""
    written = template(random.random() < 0.5, random.choice([(", ", ": "), (",", ":")]))
    kind, messages, tools = conversation()
    prompt = written.render(messages=messages, tools=tools, add_generation_prompt=True)
    return [BEGIN, *tokens(prompt)], [*tokens(ANSWERS[kind]), END]


def tokens(text):
    return [byte + FIRST_BYTE for byte in text.encode()]


def batch():
    samples = [sample() for _ in range(BATCH)]
    longest = max(len(prompt) + len(answer) for prompt, answer in samples)
    inputs = torch.full((BATCH, longest), END)
    labels = torch.full((BATCH, longest), -100)
    for row, (prompt, answer) in enumerate(samples):
        inputs[row, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    return inputs, labels


def train(steps):
    CONFIG._attn_implementation = "sdpa"
    model = Qwen3ForCausalLM(CONFIG).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=steps)
    started = time.monotonic()
    for step in range(steps):
        inputs, labels = batch()
        loss = model(input_ids=inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(step, round(loss.item(), 4), flush=True)  # noqa: T201 - progress
        if time.monotonic() - started > SECONDS:
            break
    return {name: tensor.detach().float().numpy() for name, tensor in model.state_dict().items()}


def write(path, weights):
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name("tiny-real")
    writer.add_context_length(CONFIG.max_position_embeddings)
    writer.add_embedding_length(CONFIG.hidden_size)
    writer.add_block_count(CONFIG.num_hidden_layers)
    writer.add_feed_forward_length(CONFIG.intermediate_size)
    writer.add_head_count(CONFIG.num_attention_heads)
    writer.add_head_count_kv(CONFIG.num_key_value_heads)
    writer.add_key_length(CONFIG.head_dim)
    writer.add_value_length(CONFIG.head_dim)
    writer.add_layer_norm_rms_eps(CONFIG.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _write_vocabulary(writer)
    writer.add_tensor("token_embd.weight", weights["model.embed_tokens.weight"])
    writer.add_tensor("output_norm.weight", weights["model.norm.weight"])
    writer.add_tensor("output.weight", weights["lm_head.weight"])
    for layer in range(CONFIG.num_hidden_layers):
        for name, source in TENSORS.items():
            writer.add_tensor(f"blk.{layer}.{name}.weight", weights[f"model.layers.{layer}.{source}.weight"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_vocabulary(writer):
    kinds = gguf.TokenType
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))])
    writer.add_token_scores([0.0] * VOCABULARY)
    writer.add_token_types([kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL, *[kinds.BYTE] * 256])
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_bos_token(True)
    # With a space in front, a byte-only vocabulary cannot satisfy grammars, and JSON schemas fail.
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)


if __name__ == "__main__":
    torch.manual_seed(1)
    random.seed(1)
    torch.set_num_threads(2)
    write(sys.argv[1], train(int(sys.argv[2]) if len(sys.argv) > 2 else 620))
