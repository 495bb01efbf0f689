//! LoRA adapters in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors`, read from anywhere and written for everyone.
