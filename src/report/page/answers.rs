//! Every answer behind a bar: arm by arm, question by question, equal answers together.

use super::{Page, Titled};
use crate::record::Suite;
use crate::report::artifacts::{Asked, Given};
use crate::report::markup::{Html, escape, note};
use crate::report::subject;
use crate::report::wording::count;

/// The room for answers in bytes: half for the leading suite, half for all others, so that a page stays well below 2 MB.
const ROOM: usize = 1_200_000;

/// Characters of an answer that are shown.
const LONGEST: usize = 1_500;

/// What a line costs beside its text.
const LINE: usize = 48;

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let found: Vec<&Asked> = page.asked.iter().filter(|a| !a.seeds.is_empty()).collect();
    let title = "Answers".to_owned();
    if found.is_empty() {
        let gone = "The sampled answers are no longer where jobs.json says.";
        return (!page.report.arms.is_empty()).then(|| Titled { title, body: note(gone) });
    }
    let (lead, others): (Vec<&Asked>, Vec<&Asked>) = found.into_iter().partition(|a| a.suite == page.report.suite);
    let mut suites: Vec<Suite> = Vec::new();
    for asked in &others {
        if !suites.contains(&asked.suite) {
            suites.push(asked.suite);
        }
    }
    let lists: Html = std::iter::once(page.report.suite)
        .chain(suites.iter().copied())
        .map(|suite| {
            let own: Vec<&Asked> = lead.iter().chain(&others).copied().filter(|a| a.suite == suite).collect();
            let room = if suite == page.report.suite { ROOM / 2 } else { ROOM / 2 / suites.len() };
            of_suite(page, suite, &own, room)
        })
        .collect();
    let about = "Equal answers to a question stand together, with how often each seed gave them, in the order of the seeds. Those that \
                 count for the arm’s rate are marked. Search looks in questions and answers.";
    // The script fills the form's lists and shows it; without the script the browser's own search finds what is folded away.
    let form = "<form class=\"find\" hidden role=\"search\"><label>Search <input type=\"search\" name=\"text\" autocomplete=\"off\"></label>\n\
                <label>Arm <select name=\"arm\"><option value=\"\">all</option></select></label>\n\
                <label class=\"tick\"><input type=\"checkbox\" name=\"marked\"> only marked</label>\n\
                <output aria-live=\"polite\"></output></form>\n";
    Some(Titled { title, body: [note(about), Html::raw(form), lists].into_iter().collect() })
}

fn of_suite(page: &Page<'_>, suite: Suite, own: &[&Asked], room: usize) -> Html {
    if own.is_empty() {
        return Html::default();
    }
    let most = fitting(own, room);
    let (all, shown): (usize, usize) = own.iter().fold((0, 0), |(all, shown), a| (all + a.answers(), shown + a.shown(most)));
    let told = if shown == all {
        format!("All {} answers.", count(all))
    } else {
        format!(
            "{} of {} answers: the first {} to each question of each model, the seeds in turn. The rest lies in the files that each list \
             names, as seen from the run’s folder.",
            count(shown),
            count(all),
            count(most)
        )
    };
    let outcome = page
        .report
        .suites
        .iter()
        .find(|s| s.suite == suite)
        .map_or_else(|| subject::outcome(page.report), |s| s.outcome.as_str());
    let lists: String = own.iter().map(|asked| list(page, asked, outcome, most)).collect();
    let heading = if suite == page.report.suite { String::new() } else { format!("<h3>{suite}</h3>\n") };
    Html::raw(format!("{heading}{}{lists}", note(&told)))
}

/// How many answers to each question fit the room: all of them, or a half, a quarter, …; at least one.
fn fitting(own: &[&Asked], room: usize) -> usize {
    let mut most = own.iter().map(|a| a.longest()).max().unwrap_or(1).max(1);
    let cost = |most: usize| -> usize {
        let of = |asked: &&Asked| {
            (0..asked.questions.len()).map(|q| asked.given(q, most).iter().map(cost).sum::<usize>()).sum::<usize>()
        };
        own.iter().map(of).sum()
    };
    while most > 1 && cost(most) > room {
        most = most.div_ceil(2);
    }
    most
}

fn cost(given: &Given<'_>) -> usize {
    given.text.len().min(4 * LONGEST) + LINE
}

/// The answers of one arm on one base.
fn list(page: &Page<'_>, asked: &Asked, outcome: &str, most: usize) -> String {
    let own_base = asked.model == subject::base(page.report);
    let lead = asked.suite == page.report.suite;
    let name = if own_base { asked.arm.to_string() } else { format!("{} · {}", asked.arm, subject::short_model(&asked.model)) };
    // The first list of an arm is where the table of arms leads.
    let first = page.asked.iter().find(|a| a.arm == asked.arm && a.suite == asked.suite && !a.seeds.is_empty());
    let id = if lead && first.is_some_and(|a| a.model == asked.model) {
        format!(" id=\"answers-{}\"", asked.arm)
    } else {
        String::new()
    };
    let questions: String = (0..asked.questions.len())
        .map(|q| {
            let id = if id.is_empty() { String::new() } else { format!(" id=\"answers-{}-q{q}\"", asked.arm) };
            question(asked, q, outcome, most, &id)
        })
        .collect();
    let gone = if asked.gone() > 0 { format!("; {} seeds are gone", asked.gone()) } else { String::new() };
    let files: Vec<String> = asked.files.iter().map(|file| format!("<code>{}</code>", escape(file))).collect();
    let (shown, seeds) = (count(asked.shown(most)), asked.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "));
    format!(
        "<details class=\"fold given\" data-arm=\"{arm}\"{id}><summary>{name} <small>{shown} answers, seeds {seeds}{gone}</small></summary>\n\
         <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Answers of {name}\"><table>\n\
         <thead><tr><th scope=\"col\">answer</th><th scope=\"col\" class=\"n\">times</th><th scope=\"col\" class=\"n\">by seed</th></tr></thead>\n\
         {questions}</table></div>\n<p class=\"note\">Files: {}</p></details>\n",
        files.join(", "),
        arm = asked.arm,
        name = escape(&name),
    )
}

fn question(asked: &Asked, place: usize, outcome: &str, most: usize, id: &str) -> String {
    let row = |given: &Given<'_>| {
        let class = if given.left_out.is_none() && given.choice == Some(outcome) { " class=\"m\"" } else { "" };
        let by_seed: Vec<String> = given.by_seed.iter().map(usize::to_string).collect();
        format!("<tr{class}><td>{}<td>{}<td>{}\n", answer(given), count(given.times()), by_seed.join(" "))
    };
    let rows: String = asked.given(place, most).iter().map(row).collect();
    format!(
        "<tbody{id}><tr><th colspan=\"3\" scope=\"rowgroup\">{}</th>\n{rows}</tbody>\n",
        escape(&asked.questions[place].prompt)
    )
}

/// An answer's text, with what it came to where that is not the text itself.
fn answer(given: &Given<'_>) -> String {
    let text = if given.text.chars().count() <= LONGEST {
        escape(given.text)
    } else {
        escape(&given.text.chars().take(LONGEST).chain(['…']).collect::<String>())
    };
    let came_to = given.left_out.or_else(|| given.choice.filter(|choice| *choice != given.text));
    came_to.map_or_else(|| text.clone(), |what| format!("{text} <i>{}</i>", escape(what)))
}
