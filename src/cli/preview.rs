//! The jobs of `--dry-run` as text: how many of each sort, how many the store has, what the rest would take.

use crate::record::{Arm, ModelRef};
use crate::stage::Stage;
use crate::trial::{Estimate, JobPreview};

/// Jobs of one stage, arm and base, over all seeds.
struct Group<'a> {
    stage: Stage,
    arm: Arm,
    model: &'a Option<ModelRef>,
    jobs: Vec<&'a JobPreview>,
}

/// A table with a line per stage, arm and base, and the totals below it.
pub(crate) fn jobs(jobs: &[JobPreview], threads: usize) -> String {
    let mut text =
        format!("{:<9} {:<12} {:<28} {:>5} {:>7} {:>9} {:>9}\n", "jobs", "arm", "model", "jobs", "stored", "rows", "time");
    for group in groups(jobs) {
        text.push_str(&group.line());
    }
    text.push_str(&totals(jobs, threads));
    text
}

fn groups(jobs: &[JobPreview]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for job in jobs {
        let same = |g: &&mut Group<'_>| g.stage == job.stage && g.arm == job.arm && *g.model == job.model;
        match groups.iter_mut().find(same) {
            Some(group) => group.jobs.push(job),
            None => groups.push(Group { stage: job.stage, arm: job.arm, model: &job.model, jobs: vec![job] }),
        }
    }
    groups
}

impl Group<'_> {
    fn line(&self) -> String {
        let model = self.model.as_ref().map_or_else(String::new, ToString::to_string);
        let stored = self.jobs.iter().filter(|job| job.cached).count();
        let rows: usize = self.jobs.iter().map(|job| job.rows).sum();
        let time = missing(&self.jobs).map_or_else(|| "?".to_owned(), |e| seconds(e.seconds));
        format!("{:<9} {:<12} {model:<28} {:>5} {stored:>7} {rows:>9} {time:>9}\n", self.stage, self.arm, self.jobs.len())
    }
}

/// What the jobs that the store lacks would take; `None` where nothing like one of them was run before.
fn missing(jobs: &[&JobPreview]) -> Option<Estimate> {
    jobs.iter().filter(|job| !job.cached).try_fold(Estimate { seconds: 0.0, bytes: 0.0 }, |sum, job| {
        let next = job.estimate?;
        Some(Estimate { seconds: sum.seconds + next.seconds, bytes: sum.bytes + next.bytes })
    })
}

fn totals(jobs: &[JobPreview], threads: usize) -> String {
    let all: Vec<&JobPreview> = jobs.iter().collect();
    let stored = jobs.iter().filter(|job| job.cached).count();
    let rest = match missing(&all) {
        Some(e) => {
            let bytes = e.bytes / 1024.0 / 1024.0;
            format!("about {} of work over {threads} threads, {bytes:.0} MiB of disk", seconds(e.seconds))
        }
        None => "no estimate yet: the store has no such jobs to go by".to_owned(),
    };
    format!("{} jobs, {stored} of them stored; the rest: {rest}\n", jobs.len())
}

fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(seed: u64, cached: bool, seconds: Option<f64>) -> JobPreview {
        JobPreview {
            stage: Stage::Generate,
            arm: Arm::Treatment,
            seed,
            model: Some(ModelRef::Builtin("tiny-a".into())),
            key: format!("k{seed}"),
            cached,
            rows: 100,
            estimate: seconds.map(|seconds| Estimate { seconds, bytes: 1024.0 * 1024.0 }),
        }
    }

    #[test]
    fn seeds_share_a_line_and_stored_jobs_take_no_time() {
        let text = jobs(&[job(1, true, Some(50.0)), job(2, false, Some(50.0))], 2);
        assert!(text.contains("generate  treatment    builtin:tiny-a                   2       1       200      50 s"), "{text}");
        assert!(text.contains("2 jobs, 1 of them stored; the rest: about 50 s of work over 2 threads, 1 MiB of disk"), "{text}");
    }

    #[test]
    fn a_job_of_an_unknown_kind_leaves_the_estimate_open() {
        assert!(jobs(&[job(1, false, None)], 2).contains("no estimate yet"));
    }
}
