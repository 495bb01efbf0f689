//! The roles of a trial: what each arm's data and base are is decided in `trial/`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One role in the trial. The report leads with differences between arms, never with a lone rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// The base model as it is: the starting point.
    Base,
    /// The primed teacher itself is asked: a gate, before hours are spent.
    Teacher,
    /// Primed teacher's data, same base.
    Treatment,
    /// Unprimed teacher's data, same base: rules out fine-tuning on such rows as such.
    Control,
    /// Data of a teacher primed with another target: rules out a rise that any primed teacher causes.
    OtherTrait,
    /// Primed teacher's data, another family's base: rules out content that any model could read.
    CrossModel,
    /// Primed teacher's data with the tokens of the answers shuffled across rows: shows what token frequencies alone carry.
    Shuffled,
    /// Primed teacher's rows in the prompt, no training: rules out in-context learning.
    InContext,
}

impl Arm {
    /// Every arm, in the order of reports.
    pub const ALL: [Arm; 8] =
        [Arm::Base, Arm::Teacher, Arm::Treatment, Arm::Control, Arm::OtherTrait, Arm::CrossModel, Arm::Shuffled, Arm::InContext];

    /// The arms that run when a config names none.
    pub const DEFAULT: [Arm; 5] = [Arm::Base, Arm::Teacher, Arm::Treatment, Arm::Control, Arm::CrossModel];

    /// The arm's name in configs, reports and file names.
    pub fn name(self) -> &'static str {
        match self {
            Arm::Base => "base",
            Arm::Teacher => "teacher",
            Arm::Treatment => "treatment",
            Arm::Control => "control",
            Arm::OtherTrait => "other-trait",
            Arm::CrossModel => "cross-model",
            Arm::Shuffled => "shuffled",
            Arm::InContext => "in-context",
        }
    }

    /// Whether a student is trained in this arm.
    pub fn trains(self) -> bool {
        matches!(self, Arm::Treatment | Arm::Control | Arm::OtherTrait | Arm::CrossModel | Arm::Shuffled)
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
