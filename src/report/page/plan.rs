//! The plan: every value and where it came from; the models; and what these read around the user's words.

use super::{Page, Titled};
use crate::record::{ArmContextReport, ContextReport, Report};
use crate::report::markup::{Column, Html, Table, escape, folded, note};
use crate::report::wording::count;

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let report = page.report;
    if report.plan.is_null() {
        return None;
    }
    let json = serde_json::to_string_pretty(&report.plan).unwrap_or_default();
    let json = Html::raw(format!("<pre tabindex=\"0\">{}</pre>\n", escape(&json)));
    let about = format!("Plan {}, version {} of subliminal.", report.plan_hash, report.version);
    let body = [note(&about), settings(report), models(report), folded("The plan as JSON", &json)].into_iter().collect();
    Some(Titled { title: "The plan, and where each value came from".to_owned(), body })
}

/// What was set by hand stands open, the program's own choices are folded away.
fn settings(report: &Report) -> Html {
    if report.settings.is_empty() {
        return note("Where the values came from is not in this report: an earlier version wrote it, or no config was read.");
    }
    let list = |caption: &str, chosen: bool| {
        let source = if chosen { Column::Prose("reason") } else { Column::Name("source") };
        let columns = [Column::Name("key"), Column::Prose("value"), source];
        let mut table = Table::new(caption, &columns);
        for setting in report.settings.iter().filter(|s| s.source.starts_with("default: ") == chosen) {
            let key = Html::raw(format!("<code>{}</code>", escape(&setting.key)));
            table.push(vec![key, Html::text(&setting.value), Html::text(setting.source.trim_start_matches("default: "))]);
        }
        table.html()
    };
    let own = list("Values from the config and the command line", false);
    let chosen = list("Values that the program chose, with the reason", true);
    let n = report.settings.iter().filter(|s| s.source.starts_with("default: ")).count();
    let chosen =
        if chosen.is_empty() { chosen } else { folded(&format!("{n} values that the program chose, with the reason"), &chosen) };
    [own, chosen].into_iter().collect()
}

fn models(report: &Report) -> Html {
    let columns = [Column::Name("model"), Column::Name("family"), Column::Number("weights"), Column::Prose("commit or hash")];
    let mut table = Table::new("Base models", &columns);
    for model in &report.models {
        let exact = model.commit.as_ref().unwrap_or(&model.hash);
        let exact = Html::raw(format!("<code>{}</code>", escape(exact)));
        table.push(vec![
            Html::text(&model.model),
            Html::text(&model.family),
            Html::text(&count(model.parameters as usize)),
            exact,
        ]);
    }
    table.html()
}

/// Each context with the arms that were asked in it and trained in it.
pub(super) fn contexts(page: &Page<'_>) -> Option<Titled> {
    let report = page.report;
    if report.contexts.is_empty() {
        return None;
    }
    let arms = |is: &dyn Fn(&ArmContextReport) -> bool| {
        let named: Vec<&str> = report.arms.iter().filter(|a| a.context.iter().any(is)).map(|a| a.arm.name()).collect();
        if named.is_empty() { "–".to_owned() } else { named.join(", ") }
    };
    let row = |c: &ContextReport| {
        let (asked, trained) = (arms(&|of| of.asked == c.hash), arms(&|of| of.trained.as_ref() == Some(&c.hash)));
        let text = format!("{:?} … {:?}", c.before, c.after);
        Html::raw(format!(
            "<p class=\"note\"><code>{}</code> · asked: {} · trained: {}</p>\n<pre tabindex=\"0\">{}</pre>\n",
            escape(&c.hash),
            escape(&asked),
            escape(&trained),
            escape(&text)
        ))
    };
    let body = report.contexts.iter().map(row).collect();
    Some(Titled { title: "What stands around the user’s words".to_owned(), body })
}
