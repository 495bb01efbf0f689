//! The way back through a layer's fused operations, which are noted as they run.
//!
//! Candle's own way back begins the gradient of every tensor with zeros and adds what comes to it on one thread. Here the first gradient of
//! a tensor is taken as it is, others are added on all threads, and what an operation held is let go of as soon as it was passed. Sums
//! have the order that candle gives them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{CustomOp1, CustomOp2, CustomOp3, Result, Tensor, TensorId, bail};

use super::sum::added;

/// What ran on this thread since it was begun, first to last.
#[derive(Default)]
pub(crate) struct Tape(Vec<Step>);

thread_local! {
    /// The tape that operations are noted on, if somebody wants them.
    static RUNNING: RefCell<Option<Tape>> = const { RefCell::new(None) };
}

/// An operation that has run.
struct Step {
    operation: Operation,
    output: Tensor,
}

/// An operation and its inputs.
enum Operation {
    One(Arc<Box<dyn CustomOp1 + Send + Sync>>, Tensor),
    Two(Arc<Box<dyn CustomOp2 + Send + Sync>>, [Tensor; 2]),
    Three(Arc<Box<dyn CustomOp3 + Send + Sync>>, [Tensor; 3]),
}

fn note(operation: impl FnOnce() -> Operation, output: &Tensor) {
    RUNNING.with_borrow_mut(|tape| {
        if let Some(Tape(steps)) = tape.as_mut().filter(|_| output.track_op()) {
            steps.push(Step { operation: operation(), output: output.clone() });
        }
    });
}

/// Runs an operation of one input.
pub(super) fn apply1(op: impl CustomOp1 + Send + Sync + 'static, x: &Tensor) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp1 + Send + Sync>> = Arc::new(Box::new(op));
    let output = x.apply_op1_arc(Arc::clone(&op))?;
    note(|| Operation::One(op, x.clone()), &output);
    Ok(output)
}

/// Runs an operation of two inputs.
pub(super) fn apply2(op: impl CustomOp2 + Send + Sync + 'static, x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp2 + Send + Sync>> = Arc::new(Box::new(op));
    let output = x.apply_op2_arc(y, Arc::clone(&op))?;
    note(|| Operation::Two(op, [x.clone(), y.clone()]), &output);
    Ok(output)
}

/// Runs an operation of three inputs.
pub(super) fn apply3(op: impl CustomOp3 + Send + Sync + 'static, x: &Tensor, y: &Tensor, z: &Tensor) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp3 + Send + Sync>> = Arc::new(Box::new(op));
    let output = x.apply_op3_arc(y, z, Arc::clone(&op))?;
    note(|| Operation::Three(op, [x.clone(), y.clone(), z.clone()]), &output);
    Ok(output)
}

/// Runs `work` and notes the fused operations in it that something differentiable goes through. A thread that waits for others within it
/// may take up work of another training, whose tape is its own.
///
/// # Errors
/// As `work`.
pub(crate) fn noted<T, E>(work: impl FnOnce() -> std::result::Result<T, E>) -> std::result::Result<(T, Tape), E> {
    let outer = Outer(RUNNING.replace(Some(Tape::default())));
    let result = work()?;
    let tape = RUNNING.take().unwrap_or_default();
    drop(outer);
    Ok((result, tape))
}

/// The tape that was running before; it goes on when this is dropped, also where work failed.
struct Outer(Option<Tape>);

impl Drop for Outer {
    fn drop(&mut self) {
        RUNNING.set(self.0.take());
    }
}

impl Tape {
    /// The gradients of all variables before `output`, the tape's last, given its own gradient `slope`.
    ///
    /// # Errors
    /// If an operation refuses. If something on the way to a variable is not on the tape.
    pub(crate) fn backward(self, output: Tensor, slope: Tensor) -> Result<GradStore> {
        let mut way = Way::default();
        way.receive([(output, Some(slope))])?;
        let Self(mut steps) = self;
        while let Some(Step { operation, output }) = steps.pop() {
            let Some(slope) = way.leave(&output) else { continue }; // nothing came of it
            match operation {
                Operation::One(op, x) => {
                    let slope = op.bwd(&x, &output, &slope)?;
                    way.receive([(x, slope)])?;
                }
                Operation::Two(op, [x, y]) => {
                    let (a, b) = op.bwd(&x, &y, &output, &slope)?;
                    way.receive([(x, a), (y, b)])?;
                }
                Operation::Three(op, [x, y, z]) => {
                    let (a, b, c) = op.bwd(&x, &y, &z, &output, &slope)?;
                    way.receive([(x, a), (y, b), (z, c)])?;
                }
            }
        }
        if way.open.is_empty() { Ok(way.gradients) } else { bail!("a gradient came to an operation that is not on the tape") }
    }
}

/// The gradients on the way back.
#[derive(Default)]
struct Way {
    gradients: GradStore,
    /// The tensors among them whose operations have not been gone through.
    open: HashSet<TensorId>,
}

impl Way {
    /// Adds gradients to those that their tensors have.
    fn receive<const N: usize>(&mut self, all: [(Tensor, Option<Tensor>); N]) -> Result<()> {
        for (tensor, gradient) in all {
            let Some(gradient) = gradient.filter(|_| tensor.track_op()) else { continue };
            if !tensor.is_variable() {
                self.open.insert(tensor.id());
            }
            let sum = match self.gradients.remove(&tensor) {
                Some(before) => added(&before, &gradient)?,
                None => gradient,
            };
            self.gradients.insert(&tensor, sum);
        }
        Ok(())
    }

    /// The whole gradient of a tensor, after all that was made of it was gone through.
    fn leave(&mut self, tensor: &Tensor) -> Option<Tensor> {
        self.open.remove(&tensor.id());
        self.gradients.remove(tensor)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::super::factor::{masked, scaled};
    use super::super::sum::sum;
    use super::super::{Activation, Gain, Kernels, Norm, gated, rms_norm};
    use super::*;
    use crate::engine::local::fixture;

    const NORM: Norm = Norm { eps: 1e-6, gain: Gain::OnePlusWeight };

    fn numbers(seed: usize, rows: usize) -> Tensor {
        fixture::numbers(seed, (rows, 24))
    }

    fn bits(tensor: Option<&Tensor>) -> Vec<u32> {
        let values: Vec<f32> = tensor.expect("a gradient").flatten_all().and_then(|t| t.to_vec1()).expect("f32");
        values.into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn gradients_have_the_bits_of_candles_where_tensors_are_used_again_and_again() {
        let x = Var::from_tensor(&numbers(1, 5)).expect("a variable");
        let weight = Var::from_tensor(&numbers(2, 1).flatten_all().expect("a row")).expect("a variable");
        let (x, weight) = (x.as_tensor(), weight.as_tensor());
        let run = || -> Result<Tensor> {
            let normed = rms_norm(x, weight, NORM, Kernels::Fused)?;
            let unused = scaled(&normed, 3.0, Kernels::Fused)?;
            assert!(unused.track_op(), "nothing comes of it, but it is on the tape");
            let other = scaled(&normed, 0.3, Kernels::Fused)?;
            let inner = gated(&normed, &other, Activation::Silu, Kernels::Fused)?;
            let inner = masked(&sum(&inner, &normed, Kernels::Fused)?, &numbers(3, 5), Kernels::Fused)?;
            sum(&sum(x, &inner, Kernels::Fused)?, x, Kernels::Fused)
        };
        let (output, tape) = noted(run).expect("runs");
        let slope = numbers(4, 5);
        let candles = output.mul(&slope).and_then(|y| y.sum_all()).and_then(|y| y.backward()).expect("differentiable");
        let ours = tape.backward(output, slope).expect("all is on the tape");
        for variable in [x, weight] {
            assert_eq!(bits(ours.get(variable)), bits(candles.get(variable)));
        }
        assert_eq!(ours.get_ids().count(), 2, "of the variables alone");
    }

    #[test]
    fn what_is_not_on_the_tape_is_an_error_and_what_cannot_learn_is_not_on_it() {
        let x = Var::from_tensor(&numbers(1, 2)).expect("a variable");
        let x = x.as_tensor();
        let (output, tape) = noted(|| sum(&(x * 2.0)?, x, Kernels::Fused)).expect("runs");
        let error = tape.backward(output, numbers(2, 2)).expect_err("candle's own product");
        assert!(error.to_string().contains("not on the tape"), "{error}");
        let (_, tape) = noted(|| sum(&x.detach(), &numbers(3, 2), Kernels::Fused)).expect("runs");
        assert!(tape.0.is_empty());
        sum(x, x, Kernels::Fused).expect("runs");
        assert!(RUNNING.take().is_none(), "nothing is noted that nobody asked for");
    }

    #[test]
    fn a_tape_within_a_tape_is_its_own_and_the_outer_one_goes_on_whatever_becomes_of_it() {
        let x = Var::from_tensor(&numbers(1, 2)).expect("a variable");
        let x = x.as_tensor();
        let ((), outer) = noted(|| -> Result<()> {
            let first = scaled(x, 2.0, Kernels::Fused)?;
            let (_, inner) = noted(|| sum(x, &scaled(x, 3.0, Kernels::Fused)?, Kernels::Fused))?;
            assert_eq!(inner.0.len(), 2);
            assert!(noted(|| -> Result<()> { bail!("in vain") }).is_err());
            scaled(&first, 2.0, Kernels::Fused).map(|_| ())
        })
        .expect("runs");
        assert_eq!(outer.0.len(), 2);
        assert!(RUNNING.take().is_none());
    }
}
