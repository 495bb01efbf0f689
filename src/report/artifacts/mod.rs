//! What a run's artifacts still tell: `jobs.json` in the run's folder says where they lie. All of it may be gone, because the report
//! stands without it; whoever shows it says so then.

mod answers;
mod examples;
mod steps;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(super) use answers::{Asked, Given, Question};
pub(super) use examples::{pairs, refused};
pub(super) use steps::{Point, Training, mean_course, trainings};

use crate::record::{Arm, Suite};
use crate::stage::Stage;
use crate::tool::{fs, jsonl};

/// One line of `jobs.json`: whose rows lie where.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Place {
    /// The arm.
    pub(super) arm: Arm,
    /// The replicate.
    pub(super) seed: u64,
    /// The stage.
    pub(super) stage: Stage,
    /// What was asked, where something was.
    #[serde(default)]
    pub(super) suite: Option<Suite>,
    /// The base, where a model ran.
    #[serde(default)]
    pub(super) model: Option<String>,
    /// As `jobs.json` has it: relative to the run's folder, or absolute.
    path: PathBuf,
}

/// The artifacts of one run.
#[derive(Debug, Default)]
pub(super) struct Artifacts {
    run: PathBuf,
    places: Vec<Place>,
}

impl Artifacts {
    /// The artifacts of the run in this folder. Without a `jobs.json` there are none.
    pub(super) fn of(run: &Path) -> Self {
        let places = fs::read_json(&run.join("jobs.json")).unwrap_or_default();
        Self { run: run.to_path_buf(), places }
    }

    /// The places of a stage, in the order of arms, bases and seeds.
    pub(super) fn places(&self, stage: Stage) -> Vec<&Place> {
        let mut places: Vec<&Place> = self.places.iter().filter(|p| p.stage == stage).collect();
        places.sort_by_key(|p| p.arm); // stable: bases and seeds stay in the plan's order
        places
    }

    /// The places of a stage in one arm.
    pub(super) fn of_arm(&self, stage: Stage, arm: Arm) -> Vec<&Place> {
        self.places(stage).into_iter().filter(|p| p.arm == arm).collect()
    }

    /// The rows of a file, one at a time; nothing where the file is gone.
    fn rows<T: DeserializeOwned>(&self, place: &Place, file: &str) -> Option<jsonl::Reader<T>> {
        jsonl::Reader::open(&self.run.join(&place.path).join(file)).ok()
    }

    /// Every row of a file; nothing where it is gone or holds anything else.
    fn all_rows<T: DeserializeOwned>(&self, place: &Place, file: &str) -> Option<Vec<T>> {
        self.rows(place, file)?.collect::<Result<_, _>>().ok()
    }
}

impl Place {
    /// Where a file lies, as seen from the run's folder.
    pub(super) fn file(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_jobs_or_with_broken_ones_has_no_artifacts() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Artifacts::of(folder.path()).places(Stage::Evaluate).is_empty());
        std::fs::write(folder.path().join("jobs.json"), "[{").unwrap();
        assert!(Artifacts::of(folder.path()).places(Stage::Evaluate).is_empty());
    }

    #[test]
    fn places_stand_by_arm_and_a_missing_file_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = r#"[{"arm":"control","seed":1,"stage":"filter","key":"b","path":"../b"},
            {"arm":"treatment","seed":1,"stage":"filter","model":null,"key":"a","path":"../a"}]"#;
        std::fs::write(folder.path().join("jobs.json"), jobs).unwrap();
        let artifacts = Artifacts::of(folder.path());
        let places = artifacts.places(Stage::Filter);
        assert_eq!([places[0].arm, places[1].arm], [Arm::Treatment, Arm::Control]);
        assert_eq!(places[0].file("kept.jsonl"), "../a/kept.jsonl");
        assert!(artifacts.all_rows::<serde_json::Value>(places[0], "kept.jsonl").is_none());
    }
}
