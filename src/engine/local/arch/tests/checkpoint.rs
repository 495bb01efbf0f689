//! Tensors as checkpoints store them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use candle_core::{DType, Device, Tensor};

use super::{Decoder, DecoderConfig, descriptions, logits};
use crate::engine::local::arch::Tensors;
use crate::engine::local::fixture::{config, decoder_of, tensors, tensors_of, tokens};
use crate::engine::local::layers::Kernels;
use crate::engine::local::layers::Weight;
use crate::error::{Error, Result};

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape, DType::F32, &Device::Cpu).expect("small")
}

fn load(config: &DecoderConfig, tensors: HashMap<String, Tensor>) -> Result<Decoder> {
    Decoder::new(config.clone(), tensors, &Device::Cpu, DType::F32)
}

fn refusal(config: &DecoderConfig, tensors: HashMap<String, Tensor>) -> Error {
    load(config, tensors).err().expect("to be refused")
}

fn renamed(tensors: HashMap<String, Tensor>, rename: impl Fn(&str) -> String) -> HashMap<String, Tensor> {
    tensors.into_iter().map(|(name, tensor)| (rename(&name), tensor)).collect()
}

#[test]
fn missing_unexpected_and_misshapen_tensors_come_in_one_error() {
    let mut tensors = tensors(1);
    tensors.remove("model.layers.1.self_attn.k_proj.bias");
    tensors.insert("model.layers.9.extra".into(), zeros(&[3]));
    tensors.insert("model.norm.weight".into(), zeros(&[3]));
    let error = refusal(&config(), tensors);
    assert_eq!(error.list().len(), 3, "{}", error.render());
}

/// Tensors that note what is read.
struct Watched {
    tensors: HashMap<String, Tensor>,
    read: Rc<RefCell<Vec<String>>>,
}

impl Tensors for Watched {
    fn names(&self) -> Vec<String> {
        self.tensors.names()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.shape(name)
    }

    fn take(&mut self, name: &str, device: &Device, dtype: DType) -> Result<Tensor> {
        self.read.borrow_mut().push(name.to_owned());
        self.tensors.take(name, device, dtype)
    }
}

#[test]
fn every_tensor_is_read_once_and_none_before_all_are_known_to_fit() {
    for (_, config) in descriptions(1) {
        let read = Rc::default();
        let mut watched = Watched { tensors: tensors_of(&config, 1), read: Rc::clone(&read) };
        watched.tensors.insert("stray".into(), zeros(&[1]));
        assert!(Decoder::new(config.clone(), watched, &Device::Cpu, DType::F32).is_err() && read.borrow().is_empty());
        let watched = Watched { tensors: tensors_of(&config, 1), read: Rc::clone(&read) };
        let mut names = watched.names();
        Decoder::new(config, watched, &Device::Cpu, DType::F32).expect("whole");
        names.sort();
        read.borrow_mut().sort();
        assert_eq!(*read.borrow(), names);
    }
}

#[test]
fn a_decoder_gives_back_the_weights_that_its_description_names() {
    for (label, config) in descriptions(1) {
        let mut decoder = decoder_of(&config, 1, Kernels::Fused);
        let sorted = |mut all: Vec<(String, Vec<usize>)>| {
            all.sort();
            all
        };
        let asked = sorted(config.weights());
        let shapes = |(name, weight): (String, Weight)| (name, weight.tensor().expect("unpacks").dims().to_vec());
        assert_eq!(sorted(decoder.weights().into_iter().map(shapes).collect()), asked, "{label}");
        let names: Vec<String> = decoder.weights().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            decoder.weights_mut().expect("unpacks").into_iter().map(|(name, _)| name).collect::<Vec<_>>(),
            names,
            "{label}"
        );
        for site in decoder.sites() {
            let weight = decoder.linear(&site).weight.tensor().expect("unpacks");
            let stored = &tensors_of(&config, 1)[&format!("{}.weight", site.name())];
            assert_eq!(weight.to_vec2::<f32>().expect("a matrix"), stored.to_vec2::<f32>().expect("a matrix"), "{label}");
        }
    }
}

#[test]
fn a_tied_head_may_be_stored_but_must_be_the_embedding() {
    let with_head = |head: Tensor| tensors(1).into_iter().chain([("lm_head.weight".to_owned(), head)]).collect();
    load(&config(), with_head(tensors(1)["model.embed_tokens.weight"].clone())).expect("the same head");
    assert!(refusal(&config(), with_head(zeros(&[101, 48]))).render().contains("`tie_word_embeddings` is true"));
    assert!(refusal(&config(), with_head(zeros(&[101, 4]))).render().contains("[101, 4]"));
    let untied = DecoderConfig { tied_embeddings: false, ..config() };
    let error = refusal(&untied, tensors(1));
    assert!(error.render().contains("no tensor `lm_head.weight`"), "{}", error.render());
}

#[test]
fn the_frequency_tables_of_old_checkpoints_are_passed_over() {
    let mut tensors = tensors(1);
    tensors.insert("model.layers.0.self_attn.rotary_emb.inv_freq".into(), zeros(&[4]));
    load(&config(), tensors).expect("nothing strange");
}

#[test]
fn a_multimodal_checkpoint_gives_its_text_part_in_either_layout() {
    let (_, config) = descriptions(7).into_iter().find(|(label, _)| *label == "gemma3").expect("the multimodal family");
    let tokens = tokens(1, 12);
    let plain = logits(&load(&config, tensors_of(&config, 7)).expect("plain names"), &tokens, &[12], None);
    let older = renamed(tensors_of(&config, 7), |name| format!("language_model.{name}"));
    let newer = renamed(tensors_of(&config, 7), |name| name.replacen("model.", "model.language_model.", 1));
    for (mut stored, sight, head) in [
        (older, ["vision_tower.a", "multi_modal_projector.b"], "language_model.lm_head.weight"),
        (newer, ["model.vision_tower.a", "model.multi_modal_projector.b"], "lm_head.weight"),
    ] {
        for part in sight {
            stored.insert(part.into(), zeros(&[2]));
        }
        let embeddings = tensors_of(&config, 7)["model.embed_tokens.weight"].clone();
        stored.insert(head.into(), embeddings);
        assert_eq!(plain, logits(&load(&config, stored.clone()).expect("a known layout"), &tokens, &[12], None));
        stored.insert("audio_tower.c".into(), zeros(&[2]));
        stored.insert("model.norm.weight".into(), zeros(&[2]));
        let error = refusal(&config, stored).render();
        assert!(error.contains("`audio_tower.c`") && error.contains("one and the same"), "{error}");
    }
    // only this family leaves parts aside
    let mut seeing = tensors(1);
    seeing.insert("vision_tower.a".into(), zeros(&[2]));
    assert!(refusal(&super::config(), seeing).render().contains("`vision_tower.a`"));
}
