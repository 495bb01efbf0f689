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

/// Runs `work` and notes the fused operations in it that something differentiable goes through.
///
/// # Errors
/// As `work`.
pub(crate) fn noted<T, E>(work: impl FnOnce() -> std::result::Result<T, E>) -> std::result::Result<(T, Tape), E> {
    RUNNING.set(Some(Tape::default()));
    let result = work();
    let tape = RUNNING.take().unwrap_or_default();
    Ok((result?, tape))
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
