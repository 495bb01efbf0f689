//! Decoding with a cache, and rows among others.

use super::{BOTH, Decoder, KvCache, Ragged, descriptions, lines, logits};
use crate::engine::local::arch::DecoderConfig;
use crate::engine::local::fixture::{assert_close, decoder, decoder_of, tokens, values};
use crate::engine::local::layers::Kernels;

#[test]
fn cached_decoding_equals_the_full_forward_past_every_window() {
    for (label, config) in descriptions(2) {
        for kernels in BOTH {
            let decoder = decoder_of(&config, 2, kernels);
            let rows = [tokens(1, 19), tokens(2, 11)];
            let mut cache = KvCache::new(2);
            let mut seen = [Vec::new(), Vec::new()];
            for (from, to) in [([0, 0], [4, 1]), ([4, 1], [5, 2]), ([5, 2], [17, 4]), ([17, 4], [18, 10]), ([18, 10], [19, 11])] {
                let parts: Vec<&[u32]> = (0..2).map(|r| &rows[r][from[r]..to[r]]).collect();
                let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
                let all = logits(&decoder, &parts.concat(), &lengths, Some(&mut cache));
                seen[0].extend_from_slice(lines(&all, 0, lengths[0]));
                seen[1].extend_from_slice(lines(&all, lengths[0], lengths[0] + lengths[1]));
            }
            assert_eq!(cache.lengths(), [19, 11]);
            for (row, seen) in rows.iter().zip(&seen) {
                let full = logits(&decoder, row, &[row.len()], None);
                assert_close(&full, seen, 1e-5);
                if kernels == Kernels::Fused {
                    assert!(&full == seen, "{label}: the fused form reduces in one order, cached or not");
                }
            }
        }
    }
}

#[test]
fn forked_and_dropped_rows_go_on_as_if_alone() {
    for (_, config) in descriptions(3) {
        for kernels in BOTH {
            let decoder = decoder_of(&config, 3, kernels);
            let (a, b) = (tokens(1, 16), tokens(2, 3));
            let mut cache = KvCache::new(2);
            logits(&decoder, &[a.clone(), b.clone()].concat(), &[16, 3], Some(&mut cache));
            cache.keep(&[1, 0, 1]).expect("rows 0 and 1 exist");
            assert_eq!(cache.lengths(), [3, 16, 3]);
            let next = logits(&decoder, &[7, 8, 9], &[1, 1, 1], Some(&mut cache));
            for (row, (start, token)) in [(&b, 7), (&a, 8), (&b, 9)].into_iter().enumerate() {
                let whole: Vec<u32> = start.iter().copied().chain([token]).collect();
                let full = logits(&decoder, &whole, &[whole.len()], None);
                assert_close(lines(&full, start.len(), whole.len()), lines(&next, row, row + 1), 1e-5);
            }
        }
    }
}

#[test]
fn a_row_is_the_same_to_the_bit_whatever_its_batch_and_threads() {
    for (label, config) in descriptions(4) {
        let decoder = decoder_of(&config, 4, Kernels::Fused);
        let rows: Vec<Vec<u32>> = (0..70).map(|i| tokens(i, 1 + (i as usize * 7) % 40)).collect();
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| logits(&decoder, &rows.concat(), &lengths, None))
        };
        let together = run(1);
        assert!(together == run(2), "{label}: threads change nothing");
        let mut start = 0;
        for row in &rows {
            let alone = logits(&decoder, row, &[row.len()], None);
            assert!(alone == lines(&together, start, start + row.len()), "{label}: a row of {} tokens", row.len());
            start += row.len();
        }
    }
}

#[test]
fn a_long_row_has_the_same_bits_in_blocks_of_queries_and_in_pieces() {
    for (label, config) in descriptions(6) {
        // 32 query heads a group: 400 tokens are more than are worked through together
        let config =
            DecoderConfig { num_heads: 64, num_kv_heads: 2, head_dim: 4, query_scalar: 4.0, max_positions: 512, ..config };
        let decoder = decoder_of(&config, 6, Kernels::Fused);
        let (long, short) = (tokens(1, 400), tokens(2, 30));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let both = [long.clone(), short.clone()].concat();
            pool.install(|| logits(&decoder, &both, &[400, 30], Some(&mut KvCache::new(2))))
        };
        let blocks = run(3);
        assert!(blocks == run(1), "{label}: threads change nothing");
        for (row, from, to) in [(&long, 0, 400), (&short, 400, 430)] {
            let mut cache = KvCache::new(1);
            let pieces: Vec<f32> =
                row.chunks(13).flat_map(|piece| logits(&decoder, piece, &[piece.len()], Some(&mut cache))).collect();
            assert!(lines(&blocks, from, to) == pieces, "{label}: {} tokens in pieces", row.len());
            assert!(logits(&decoder, row, &[row.len()], None) == pieces, "{label}: {} tokens without a cache", row.len());
        }
        let expected = [lines(&blocks, 170, 400), lines(&blocks, 428, 430)].concat();
        for cache in [None, Some(&mut KvCache::new(2))] {
            assert!(ends(&decoder, &[long.clone(), short.clone()].concat(), &[400, 30], &[230, 2], cache) == expected, "{label}");
        }
    }
}

/// The logits of the last tokens of every row.
fn ends(decoder: &Decoder, tokens: &[u32], lengths: &[usize], ends: &[usize], cache: Option<&mut KvCache>) -> Vec<f32> {
    let hidden = decoder.read_ends(&Ragged { tokens, lengths }, ends, cache).expect("fits");
    values(&decoder.logits(&hidden).expect("fits"))
}

#[test]
fn the_ends_of_rows_alone_have_the_bits_that_they_have_among_all_tokens() {
    for (label, config) in descriptions(7) {
        for kernels in BOTH {
            let decoder = decoder_of(&config, 7, kernels);
            let (mut whole, mut alone) = (KvCache::new(3), KvCache::new(3));
            for (seed, lengths, wanted) in [(1, [19, 1, 11], [3, 1, 11]), (4, [2, 6, 1], [1, 2, 1]), (7, [1, 1, 1], [1, 1, 1])] {
                let all = tokens(seed, lengths.iter().sum());
                let full = logits(&decoder, &all, &lengths, Some(&mut whole));
                let (mut expected, mut end) = (Vec::new(), 0);
                for (length, wanted) in lengths.iter().zip(wanted) {
                    end += length;
                    expected.extend_from_slice(lines(&full, end - wanted, end));
                }
                let found = ends(&decoder, &all, &lengths, &wanted, Some(&mut alone));
                assert_close(&expected, &found, 1e-5);
                assert!(kernels == Kernels::Composite || expected == found, "{label}: to the bit in the fused form");
            }
        }
    }
    let rows = Ragged { tokens: &[1, 2, 3], lengths: &[1, 2] };
    for wrong in [&[1][..], &[1, 0], &[1, 3]] {
        let error = decoder(1, Kernels::Fused).read_ends(&rows, wrong, None).expect_err("refused");
        assert!(error.render().contains("the ends of other rows"), "{}", error.render());
    }
}

#[test]
fn a_token_beyond_the_window_is_not_seen_in_a_layer_that_slides() {
    let (_, config) =
        descriptions(5).into_iter().find(|(label, _)| *label == "mistral").expect("a family whose layers all slide");
    let reach = 3 * (config.window(0).expect("slides") - 1); // three layers, each hands on what its window holds
    let (mut near, mut far) = (tokens(1, 30), tokens(1, 30));
    near[29 - reach] = (near[29 - reach] + 1) % 101;
    far[29 - reach - 1] = (far[29 - reach - 1] + 1) % 101;
    for kernels in BOTH {
        let decoder = decoder_of(&config, 5, kernels);
        let last = |tokens: &[u32]| lines(&logits(&decoder, tokens, &[30], None), 29, 30).to_vec();
        let plain = last(&tokens(1, 30));
        assert!(plain != last(&near) && plain == last(&far), "{kernels:?}");
    }
}

#[test]
fn tokens_and_positions_beyond_the_model_are_refused() {
    let decoder = decoder(1, Kernels::Fused);
    let ask = |tokens: &[u32]| decoder.hidden(&Ragged { tokens, lengths: &[tokens.len()] }, None).err().map(|e| e.render());
    assert!(ask(&[101]).is_some_and(|e| e.contains("vocabulary")));
    assert!(ask(&[1; 129]).is_some_and(|e| e.contains("128")));
    assert!(ask(&[1; 128]).is_none());
}
