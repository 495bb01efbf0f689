//! Why a checkpoint cannot be used as it is, told from the files that are there instead of those that are needed, and what to do about it.

use std::path::Path;

use super::hub;

/// What to do about a checkpoint that lacks files, by the names of those it has.
pub(super) fn advice<'a>(there: impl IntoIterator<Item = &'a str>) -> &'static str {
    let there: Vec<&str> = there.into_iter().collect();
    let has = |name: &str| there.contains(&name);
    let ends = |endings: &[&str]| there.iter().any(|name| endings.iter().any(|ending| name.ends_with(ending)));
    if has("adapter_config.json") && !has("config.json") {
        "it is an adapter: name its base as the model, and it with `--adapter`"
    } else if ends(&[".safetensors"]) && has("tokenizer.model") && !has("tokenizer.json") {
        "its tokenizer is a `tokenizer.model`: make `tokenizer.json` of it with transformers, \
         `AutoTokenizer.from_pretrained(MODEL).save_pretrained(FOLDER)`"
    } else if ends(&[".safetensors"]) {
        "a checkpoint needs config.json, tokenizer.json and its weights as safetensors"
    } else if ends(&[".gguf"]) {
        "it holds GGUF files, which are not read: take the model that they were made from, in safetensors"
    } else if ends(&[".bin", ".pth", ".pt"]) {
        "its weights are pickled, which is not read: save them as safetensors with transformers, \
         `AutoModelForCausalLM.from_pretrained(MODEL).save_pretrained(FOLDER)`"
    } else {
        "a checkpoint needs config.json, tokenizer.json and its weights as safetensors"
    }
}

/// How to get a sound copy of a damaged file.
pub(in crate::engine::local) fn cure(path: &Path) -> String {
    match hub::cached_as(path) {
        Some(model) => format!("`subliminal models pull {model}` fetches what is damaged again"),
        None => "copy or download the file again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_tells_what_to_do() {
        let cases: [(&[&str], &str); 5] = [
            (&["model.safetensors", "tokenizer.model"], "make `tokenizer.json`"),
            (&["config.json", "pytorch_model.bin"], "pickled"),
            (&["README.md", "model-q4.gguf"], "GGUF"),
            (&["adapter_config.json", "adapter_model.safetensors"], "`--adapter`"),
            (&[], "a checkpoint needs"),
        ];
        for (there, expected) in cases {
            let advice = advice(there.iter().copied());
            assert!(advice.contains(expected), "{there:?}: {advice}");
        }
    }

    #[test]
    fn a_file_of_the_hubs_cache_is_pulled_again() {
        let cached = cure(Path::new("/c/hub/models--o--n/snapshots/0123abc/model.safetensors"));
        assert_eq!(cached, "`subliminal models pull o/n@0123abc` fetches what is damaged again");
        assert_eq!(cure(Path::new("models/x/model.safetensors")), "copy or download the file again");
    }
}
