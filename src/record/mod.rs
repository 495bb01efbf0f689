//! The plain data that flows between all other modules: rows, specs, the plan and the report. Only `serde` and `schemars` here.

mod arm;
mod chat;
mod date;
mod finetune;
mod judge;
mod model;
mod outcome;
mod plan;
mod report;
mod rows;
mod sampling;

pub use arm::Arm;
pub use chat::{Chat, Context, Frame, Message, Role, TemplateSettings};
pub use date::Date;
pub use finetune::{Finetune, LayerRange, LayerTargets, Lora, Method, Schedule};
pub use judge::{EndpointPlan, JudgeKind, JudgePlan, JudgePrompts, Thresholds};
pub use model::{Device, Dtype, ModelRef, Weights, in_words};
pub use outcome::{ArmContext, ArmEvaluation, Evaluation, Group, Outcome};
pub use plan::{
    COT_TAGS, Category, CotPlan, DomainKind, DomainPlan, EvaluatePlan, ExpectPlan, FilterPlan, Force, GatePlan, GeneratePlan,
    InContextPlan, LessonData, Member, ModelPlan, Plan, Prime, ReasoningPlan, StatisticsPlan, StudentPlan, Suite, SuiteFiles,
    TeacherPlan, TraitKind, TraitPlan,
};
pub use report::{
    ArmContextReport, ArmReport, Comparison, ContextReport, CrossBase, FilterReport, GateReport, GroupReport, Health, Interval,
    ModelReport, OutcomeReport, Power, Report, RuleCount, SeedValue, SettingReport, StageReport, SuiteReport, Verdict,
};
pub use rows::{Answer, Dropped, Expected, Finish, Measurement, Prompt, RowId, Sample, Scored, StepRow};
pub use sampling::{Sampling, StreamId};
