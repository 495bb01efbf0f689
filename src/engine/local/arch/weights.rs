//! A decoder's weights and adapters by name.

use candle_core::Tensor;

use super::checkpoint::{EMBEDDINGS, FINAL_NORM, HEAD, KEY_NORM, QUERY_NORM, in_layer};
use super::config::NormPlaces;
use super::decoder::{Decoder, Layer};
use crate::engine::local::layers::{Adapter, Kernels, Linear, Weight};
use crate::error::Result;

/// A linear layer's place: `model.layers.N.` and a path below it, e.g. `self_attn.q_proj`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The decoder layer.
    pub layer: usize,
    /// The path below the layer.
    pub path: &'static str,
}

impl Site {
    /// The module's full name, e.g. `model.layers.0.self_attn.q_proj`.
    pub fn name(&self) -> String {
        in_layer(self.layer, self.path)
    }

    /// The last part of the name, by which PEFT's `target_modules` select, e.g. `q_proj`.
    pub fn module(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// The linear layers of every decoder layer.
pub(super) const SITES: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

impl Layer {
    fn linears(&self) -> [&Linear; 7] {
        [&self.q, &self.k, &self.v, &self.o, &self.gate, &self.up, &self.down]
    }

    fn linears_mut(&mut self) -> [&mut Linear; 7] {
        [&mut self.q, &mut self.k, &mut self.v, &mut self.o, &mut self.gate, &mut self.up, &mut self.down]
    }

    /// The norms that there are, in the order of [`norm_names`].
    fn norms(&self) -> [Option<&Tensor>; 6] {
        let [query, key] = self.head_norms.as_ref().map_or([None, None], |norms| norms.each_ref().map(Some));
        let (after, after_mlp) = (self.attention_out_norm.as_ref(), self.mlp_out_norm.as_ref());
        [Some(&self.input_norm), Some(&self.mlp_norm), after, after_mlp, query, key]
    }

    fn weights(&self, places: NormPlaces) -> Vec<(String, Weight)> {
        let tensor = |tensor: &Tensor| Weight::Tensor(tensor.clone());
        let norms = norm_names(places).into_iter().zip(self.norms());
        let mut all: Vec<_> = norms.filter_map(|(name, norm)| Some((name?.to_owned(), tensor(norm?)))).collect();
        for (path, linear) in SITES.iter().zip(self.linears()) {
            all.push((format!("{path}.weight"), linear.weight.clone()));
            all.extend(linear.bias.as_ref().map(|bias| (format!("{path}.bias"), tensor(bias))));
        }
        all
    }

    fn weights_mut(&mut self, places: NormPlaces) -> Result<Vec<(String, &mut Tensor)>> {
        let Self { input_norm, q, k, v, o, head_norms, attention_out_norm, mlp_norm, gate, up, down, mlp_out_norm } = self;
        let [query, key] = head_norms.as_mut().map_or([None, None], |norms| norms.each_mut().map(Some));
        let norms = [Some(input_norm), Some(mlp_norm), attention_out_norm.as_mut(), mlp_out_norm.as_mut(), query, key];
        let linears = [q, k, v, o, gate, up, down];
        let norms = norm_names(places).into_iter().zip(norms);
        let mut all: Vec<_> = norms.filter_map(|(name, norm)| Some((name?.to_owned(), norm?))).collect();
        for (path, linear) in SITES.iter().zip(linears) {
            all.push((format!("{path}.weight"), linear.weight.loosen()?));
            all.extend(linear.bias.as_mut().map(|bias| (format!("{path}.bias"), bias)));
        }
        Ok(all)
    }
}

/// The names of a layer's norms, as far as it has them.
fn norm_names(places: NormPlaces) -> [Option<&'static str>; 6] {
    let (before, after, before_mlp, after_mlp) = places.names();
    [Some(before), Some(before_mlp), after, after_mlp, Some(QUERY_NORM), Some(KEY_NORM)]
}

impl Decoder {
    /// Every weight under its Hugging Face name, as a tensor to change or to train: packed ones are unpacked, see [`Decoder::pack`].
    /// Adapters are not among them.
    ///
    /// # Errors
    /// If the device refuses.
    pub(in crate::engine::local) fn weights_mut(&mut self) -> Result<Vec<(String, &mut Tensor)>> {
        let mut all = vec![(EMBEDDINGS.to_owned(), self.embeddings.loosen()?)];
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let named = layer.weights_mut(self.config.norm_places)?.into_iter();
            all.extend(named.map(|(path, weight)| (in_layer(index, &path), weight)));
        }
        all.push((FINAL_NORM.to_owned(), &mut self.norm));
        if let Some(head) = &mut self.head {
            all.push((HEAD.to_owned(), head.loosen()?));
        }
        Ok(all)
    }

    /// Every weight under its Hugging Face name, to read.
    pub(in crate::engine::local) fn weights(&self) -> Vec<(String, Weight)> {
        let mut all = vec![(EMBEDDINGS.to_owned(), self.embeddings.clone())];
        for (index, layer) in self.layers.iter().enumerate() {
            let named = layer.weights(self.config.norm_places).into_iter();
            all.extend(named.map(|(path, weight)| (in_layer(index, &path), weight)));
        }
        all.push((FINAL_NORM.to_owned(), Weight::Tensor(self.norm.clone())));
        all.extend(self.head.as_ref().map(|head| (HEAD.to_owned(), head.clone())));
        all
    }

    /// Packs every matrix that is not trained for the fused products, if those run, and lets go of the tensor. An embedding that is not the head as
    /// well is only looked up, and stays as it is.
    ///
    /// # Errors
    /// If a matrix cannot be packed.
    pub(in crate::engine::local) fn pack(&mut self) -> Result<()> {
        if self.kernels() == Kernels::Composite {
            return Ok(());
        }
        for linear in self.layers.iter_mut().flat_map(Layer::linears_mut) {
            linear.weight.freeze()?;
        }
        self.head.as_mut().unwrap_or(&mut self.embeddings).freeze()?;
        Ok(())
    }

    /// Every adapter with its place.
    pub(in crate::engine::local) fn adapters_mut(&mut self) -> Vec<(Site, &mut Adapter)> {
        let mut all = Vec::new();
        for (layer, linears) in self.layers.iter_mut().enumerate() {
            for (path, linear) in SITES.iter().zip(linears.linears_mut()) {
                if let Some(adapter) = &mut linear.adapter {
                    all.push((Site { layer, path }, adapter));
                }
            }
        }
        all
    }

    /// Every linear layer that may carry an adapter.
    pub fn sites(&self) -> Vec<Site> {
        (0..self.layers.len()).flat_map(|layer| SITES.iter().map(move |path| Site { layer, path })).collect()
    }

    /// The (out, in) of the linear layer at `site`.
    pub(in crate::engine::local) fn linear(&self, site: &Site) -> &Linear {
        self.layers[site.layer].linears()[site_index(site)]
    }

    /// Puts an adapter on the linear layer at `site`, in place of one that may be there.
    pub(in crate::engine::local) fn attach(&mut self, site: &Site, adapter: Adapter) {
        self.layers[site.layer].linears_mut()[site_index(site)].adapter = Some(adapter);
    }

    /// Adds every adapter into its weight: the same function, without the adapter's cost at every step.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn merge_adapters(&mut self) -> Result<()> {
        for linear in self.layers.iter_mut().flat_map(Layer::linears_mut) {
            linear.merge()?;
        }
        Ok(())
    }
}

fn site_index(site: &Site) -> usize {
    SITES.iter().position(|path| *path == site.path).unwrap_or(0)
}
