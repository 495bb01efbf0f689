"""Write a checkpoint of `make_checkpoint.py` as GGUF in bf16, for llama.cpp.

    python write_gguf.py MODEL OUT.gguf

Matrices are bf16, vectors f32, as llama.cpp's own converter leaves them. Llama's queries and keys are put into the order of its rope.
"""
import argparse
import json
import pathlib

import gguf
import numpy
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

ARCHITECTURES = {"llama": (gguf.MODEL_ARCH.LLAMA, "llama"), "qwen2": (gguf.MODEL_ARCH.QWEN2, "qwen2")}


def interleaved(weight, heads):
    """Rows of each head from (first halves, second halves) to pairs."""
    out, width = weight.shape
    return weight.reshape(heads, 2, out // heads // 2, width).swapaxes(1, 2).reshape(out, width)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    tokenizer, config = PreTrainedTokenizerFast.from_pretrained(args.model), model.config
    arch, name = ARCHITECTURES[config.model_type]
    writer = gguf.GGUFWriter(str(args.out), name)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    bpe = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    named = {i: token for token, i in tokenizer.get_vocab().items()}
    kinds = {i: gguf.TokenType.CONTROL for i in range(3)}
    every = range(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([named.get(i, f"<|unused {i}|>") for i in every])
    writer.add_token_types([kinds.get(i, gguf.TokenType.NORMAL if i in named else gguf.TokenType.UNUSED) for i in every])
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in bpe["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    for key, weight in model.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = weight.numpy()
        if config.model_type == "llama" and key.endswith(("q_proj.weight", "k_proj.weight")):
            values = interleaved(values, config.num_attention_heads if "q_proj" in key else config.num_key_value_heads)
        values = numpy.ascontiguousarray(values)
        name = names.get_name(key, try_suffixes=(".weight", ".bias"))
        if values.ndim == 2:
            narrow = gguf.quants.quantize(values, gguf.GGMLQuantizationType.BF16)
            writer.add_tensor(name, narrow, raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
