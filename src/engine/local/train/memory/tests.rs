//! What must hold of the estimate.
