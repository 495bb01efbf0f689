//! The plain data that flows between all other modules: rows, specs, the plan and the report. Only `serde` and `schemars` here.

mod arm;
mod chat;
mod finetune;
mod judge;
mod model;
mod outcome;
mod plan;
mod report;
mod rows;
mod sampling;

pub use arm::Arm;
pub use chat::{Chat, Message, Role};
pub use finetune::{Finetune, LayerTargets, Lora, Method, Schedule};
pub use judge::{EndpointPlan, JudgeKind, JudgePlan, JudgePrompts, Thresholds};
pub use model::{Device, Dtype, ModelRef, Weights};
pub use outcome::{ArmEvaluation, Evaluation, Outcome};
pub use plan::{
    Category, DomainKind, DomainPlan, EvaluatePlan, ExpectPlan, FilterPlan, Force, GatePlan, GeneratePlan, InContextPlan, Member,
    ModelPlan, Plan, Prime, StatisticsPlan, StudentPlan, Suite, TeacherPlan, TraitPlan,
};
pub use report::{
    ArmReport, Comparison, CrossBase, FilterReport, GateReport, Health, Interval, Power, Report, RuleCount, SeedValue,
    StageReport, Verdict,
};
pub use rows::{Answer, Dropped, Expected, Finish, Prompt, RowId, Sample, Scored, StepRow};
pub use sampling::{Sampling, StreamId};
