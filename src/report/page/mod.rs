//! The report as one page that needs nothing else: no network, light and dark, whole without its small script. A section is one file with
//! one function, and one line of [`SECTIONS`].
//!
//! Numbers come from the report; answers, rows and curves from the artifacts that the run's `jobs.json` points to. Where those are gone,
//! the page says so in their place and shows the rest. The same report and artifacts give the same bytes.

mod answers;
mod arms;
mod asked;
mod claim;
mod course;
mod differences;
mod figure;
mod filter;
mod health;
mod heat;
mod limits;
mod members;
mod plan;
mod questions;
mod rows;
mod runs;
mod sheet;
#[cfg(test)]
mod tests;
mod training;
mod work;

use std::path::Path;

use super::artifacts::{Artifacts, Asked};
use super::markup::Html;
use crate::record::{Arm, ArmReport, Report};
use sheet::{Part, Sheet};

/// What sections are made from.
struct Page<'a> {
    report: &'a Report,
    artifacts: Artifacts,
    /// Every sampled answer that is still there.
    asked: Vec<Asked>,
}

/// A section: its name in addresses, its name in the contents, and what makes it; nothing where there is nothing to show.
struct Section {
    id: &'static str,
    name: &'static str,
    make: fn(&Page<'_>) -> Option<Titled>,
}

/// A section's heading and body.
struct Titled {
    title: String,
    body: Html,
}

/// In the order of the page: the claim, its evidence, its weak points.
const SECTIONS: [Section; 15] = [
    Section { id: "arms", name: "Arms", make: arms::section },
    Section { id: "differences", name: "Differences", make: differences::section },
    Section { id: "asked", name: "Also asked", make: asked::section },
    Section { id: "questions", name: "Questions", make: questions::section },
    Section { id: "members", name: "Before and after", make: members::section },
    Section { id: "course", name: "Course", make: course::section },
    Section { id: "training", name: "Training", make: training::section },
    Section { id: "filter", name: "Filter", make: filter::section },
    Section { id: "rows", name: "Rows", make: rows::section },
    Section { id: "answers", name: "Answers", make: answers::section },
    Section { id: "health", name: "Health", make: health::section },
    Section { id: "plan", name: "Plan", make: plan::section },
    Section { id: "contexts", name: "Contexts", make: plan::contexts },
    Section { id: "work", name: "Work", make: work::section },
    Section { id: "limits", name: "Limits", make: limits::section },
];

/// The lead picture of a report, every arm's rate, as an SVG of its own.
pub fn picture(report: &Report) -> String {
    arms::picture(report).standalone()
}

/// The page of a report, with the artifacts of the run in this folder.
pub fn html(report: &Report, run: Option<&Path>) -> String {
    let artifacts = run.map(Artifacts::of).unwrap_or_default();
    let page = Page { report, asked: Asked::all(&artifacts), artifacts };
    let part = |section: &Section| {
        let Titled { title, body } = (section.make)(&page)?;
        Some(Part { id: section.id, name: section.name, title, body })
    };
    let parts = SECTIONS.iter().filter_map(part).collect();
    Sheet { title: &report.name, header: claim::header(&page), parts, footer: work::footer(report) }.html()
}

impl Page<'_> {
    /// An arm with its place in the report.
    fn arm(&self, arm: Arm) -> Option<(usize, &ArmReport)> {
        self.report.arms.iter().enumerate().find(|(_, a)| a.arm == arm)
    }

    /// The answers of the leading suite in an arm on the trial's own base.
    fn answers_of(&self, arm: Arm) -> Option<&Asked> {
        let base = super::subject::base(self.report);
        let own = |a: &&Asked| a.arm == arm && a.suite == self.report.suite && a.model == base;
        self.asked.iter().find(own).filter(|a| !a.seeds.is_empty())
    }
}

/// The class that gives an arm its colour in pictures.
fn tone(arm: Arm) -> &'static str {
    match arm {
        Arm::Base | Arm::Control => "t-plain",
        Arm::Teacher => "t-teacher",
        Arm::Treatment => "t-treatment",
        Arm::OtherTrait => "t-other",
        Arm::CrossModel => "t-cross",
        Arm::Shuffled => "t-shuffled",
        Arm::InContext => "t-context",
    }
}
