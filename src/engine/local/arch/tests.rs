//! What must hold of the decoder as a whole.

use candle_core::{DType, Device, Tensor};

use super::{Decoder, KvCache, Ragged};
use crate::engine::local::fixture::{assert_close, config, decoder, json, tensors, tokens, values};
use crate::engine::local::layers::Kernels;

const BOTH: [Kernels; 2] = [Kernels::Fused, Kernels::Composite];

fn logits(decoder: &Decoder, tokens: &[u32], lengths: &[usize], cache: Option<&mut KvCache>) -> Vec<f32> {
    let hidden = decoder.hidden(&Ragged { tokens, lengths }, cache).expect("fits");
    values(&decoder.logits(&hidden).expect("fits"))
}

#[test]
fn logits_agree_with_an_independent_implementation() {
    let tokens = tokens(5, 17);
    let mut json = json();
    for (key, value) in [("sliding_window", 4096), ("max_window_layers", 2)] {
        json[key] = value.into();
    }
    json["use_sliding_window"] = false.into();
    let theirs: candle_transformers::models::qwen2::Config = {
        json["hidden_size"] = 48.into();
        serde_json::from_value(json).expect("the config that it knows")
    };
    let vars = candle_nn::VarBuilder::from_tensors(tensors(1), DType::F32, &Device::Cpu);
    let mut witness = candle_transformers::models::qwen2::ModelForCausalLM::new(&theirs, vars).expect("whole");
    let input = Tensor::new(tokens.as_slice(), &Device::Cpu).and_then(|t| t.unsqueeze(0)).expect("a row");
    let last = values(&witness.forward(&input, 0).expect("runs"));
    for kernels in BOTH {
        let ours = logits(&decoder(1, kernels), &tokens, &[17], None);
        assert_close(&last, &ours[16 * 101..], 1e-4);
    }
}

#[test]
fn cached_decoding_equals_the_full_forward() {
    for kernels in BOTH {
        let decoder = decoder(2, kernels);
        let rows = [tokens(1, 9), tokens(2, 5)];
        let mut cache = KvCache::new(2);
        let mut seen = [Vec::new(), Vec::new()];
        for (from, to) in [([0, 0], [4, 1]), ([4, 1], [5, 2]), ([5, 2], [9, 5])] {
            let parts: Vec<&[u32]> = (0..2).map(|r| &rows[r][from[r]..to[r]]).collect();
            let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
            let all = logits(&decoder, &parts.concat(), &lengths, Some(&mut cache));
            let (first, second) = all.split_at(lengths[0] * 101);
            seen[0].extend_from_slice(first);
            seen[1].extend_from_slice(second);
        }
        assert_eq!(cache.lengths(), [9, 5]);
        for (row, seen) in rows.iter().zip(&seen) {
            let full = logits(&decoder, row, &[row.len()], None);
            assert_close(&full, seen, 1e-5);
            if kernels == Kernels::Fused {
                assert_eq!(&full, seen, "the fused form reduces in one order, cached or not");
            }
        }
    }
}

#[test]
fn forked_and_dropped_rows_go_on_as_if_alone() {
    for kernels in BOTH {
        let decoder = decoder(3, kernels);
        let (a, b) = (tokens(1, 6), tokens(2, 3));
        let mut cache = KvCache::new(2);
        logits(&decoder, &[a.clone(), b.clone()].concat(), &[6, 3], Some(&mut cache));
        cache.keep(&[1, 0, 1]).expect("rows 0 and 1 exist");
        assert_eq!(cache.lengths(), [3, 6, 3]);
        let next = logits(&decoder, &[7, 8, 9], &[1, 1, 1], Some(&mut cache));
        for (row, (start, token)) in [(&b, 7), (&a, 8), (&b, 9)].into_iter().enumerate() {
            let whole: Vec<u32> = start.iter().copied().chain([token]).collect();
            let full = logits(&decoder, &whole, &[whole.len()], None);
            assert_close(&full[start.len() * 101..], &next[row * 101..(row + 1) * 101], 1e-5);
        }
    }
}

#[test]
fn a_row_is_the_same_to_the_bit_whatever_its_batch_and_threads() {
    let decoder = decoder(4, Kernels::Fused);
    let rows: Vec<Vec<u32>> = (0..70).map(|i| tokens(i, 1 + (i as usize * 7) % 40)).collect();
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| logits(&decoder, &rows.concat(), &lengths, None))
    };
    let together = run(1);
    assert_eq!(together, run(2), "threads change nothing");
    let mut start = 0;
    for row in &rows {
        let alone = logits(&decoder, row, &[row.len()], None);
        assert_eq!(alone, together[start * 101..(start + row.len()) * 101], "a row of {} tokens", row.len());
        start += row.len();
    }
}

#[test]
fn missing_unexpected_and_misshapen_tensors_come_in_one_error() {
    let mut tensors = tensors(1);
    tensors.remove("model.layers.1.self_attn.k_proj.bias");
    tensors.insert("model.layers.9.extra".into(), Tensor::zeros(3, DType::F32, &Device::Cpu).expect("small"));
    tensors.insert("model.norm.weight".into(), Tensor::zeros(3, DType::F32, &Device::Cpu).expect("small"));
    let error = Decoder::new(config(), tensors, &Device::Cpu, DType::F32).err().expect("three problems");
    assert_eq!(error.list().len(), 3, "{}", error.render());
}

#[test]
fn tokens_and_positions_beyond_the_model_are_refused() {
    let decoder = decoder(1, Kernels::Fused);
    let ask = |tokens: &[u32]| decoder.hidden(&Ragged { tokens, lengths: &[tokens.len()] }, None).err().map(|e| e.render());
    assert!(ask(&[101]).is_some_and(|e| e.contains("vocabulary")));
    assert!(ask(&[1; 129]).is_some_and(|e| e.contains("128")));
    assert!(ask(&[1; 128]).is_none());
}
