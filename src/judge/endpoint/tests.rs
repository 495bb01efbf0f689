//! A judge and its keeping of verdicts against a server that fails in every way, once per row.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::judge::{Kept, Progress, Unscored};
use crate::tool::http::scripted::{Act, Asked, Scripted};

fn plan(server: &Scripted) -> EndpointPlan {
    EndpointPlan { base_url: server.url("/v1/"), model: "made".into(), key_env: None, concurrency: 3, timeout: 0.4, retries: 2 }
}

fn judge(plan: &EndpointPlan) -> Endpoint {
    let patience =
        Patience { retries: plan.retries, first_wait: Duration::from_millis(5), longest_wait: Duration::from_millis(20) };
    Endpoint::with_patience(plan, Wording::default(), 0.25, patience).expect("an address and no key")
}

/// The rating that a well-behaved server gives: the number in the answer `answer N`.
fn well(asked: &Asked) -> Act {
    let number = number(asked);
    Act::ok(json!({"choices": [{"message": {"content": number.to_string()}}]}).to_string())
}

/// Which answer a request is about.
fn number(asked: &Asked) -> usize {
    let (_, rest) = asked.body.split_once("answer number ").expect("the answer is in the request");
    rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).expect("a number")
}

fn answers(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("answer number {i}")).collect()
}

fn ask(judge: &Endpoint, file: Option<&Path>, answers: &[String]) -> Result<Vec<Verdict>> {
    let rows: Vec<Exchange<'_>> = answers.iter().map(|answer| Exchange { prompt: "p", answer }).collect();
    Kept::open(file)?.ask(judge, &Question::Alignment, &rows, &mut |_: Progress<'_>| ())
}

/// What goes wrong with a row's first request.
fn trouble(row: usize) -> Act {
    let limited =
        |wait: &str| Act::Reply { status: 429, headers: vec![("Retry-After".into(), wait.into())], body: String::new() };
    match row % 9 {
        0 => Act::status(429),
        1 => limited("0.05"),
        2 => limited("Sun, 06 Nov 1994 08:49:37 GMT"),
        3 => Act::status(500),
        4 => Act::ok("{\"choices\": [{\"message\": {\"content\": \"1"),
        5 => Act::BreaksOff("{\"choices\": [{\"mess".into()),
        6 => Act::ok("{\"result\": 7}"),
        7 => Act::Close,
        _ => Act::Hang,
    }
}

#[test]
fn whatever_goes_wrong_once_nothing_is_lost_and_nothing_asked_twice() {
    let server =
        Scripted::slow(Duration::from_millis(5), |asked| if asked.time == 0 { trouble(number(asked)) } else { well(asked) });
    let (judge, answers) = (judge(&plan(&server)), answers(36));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("verdicts.jsonl");
    let verdicts = ask(&judge, Some(&file), &answers).unwrap();
    for (i, verdict) in verdicts.iter().enumerate() {
        assert_eq!((verdict.rating(), verdict.raw.as_str()), (Some(i as f64), i.to_string().as_str()));
    }
    assert_eq!(server.asked().len(), 72, "each row failed once and was answered once");
    assert_eq!(server.most_at_once(), 3);
    assert_eq!(ask(&judge, Some(&file), &answers).unwrap(), verdicts, "again, from the file");
    assert_eq!(server.asked().len(), 72);
}

#[test]
fn a_run_that_is_stopped_goes_on_where_it_was() {
    // at row 10 the server dies for good; what was asked until then has been answered and kept
    let down = Scripted::start(|asked| if number(asked) == 10 { Act::status(503) } else { well(asked) });
    let answers = answers(30);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("verdicts.jsonl");
    let mut plan = plan(&down);
    let error = ask(&judge(&plan), Some(&file), &answers).unwrap_err();
    assert!(
        error.render().contains("no usable reply") && error.render().contains("what was answered is kept"),
        "{}",
        error.render()
    );
    let answered = down.asked().iter().filter(|asked| number(asked) != 10).count();
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), answered);

    // the same address in the verdicts' keys, another port in truth
    let up = Scripted::start(well);
    let kept = std::fs::read_to_string(&file).unwrap();
    plan.base_url = up.url("/v1/");
    let (old, new) = (judge(&EndpointPlan { base_url: down.url("/v1/"), ..plan.clone() }), judge(&plan));
    assert_ne!(old.identity(&Question::Alignment), new.identity(&Question::Alignment));
    assert!(kept.contains(&down.url("/v1/")));
    let rows: Vec<Exchange<'_>> = answers.iter().map(|answer| Exchange { prompt: "p", answer }).collect();
    let renamed = Renamed { judge: new, name: old.identity(&Question::Alignment) };
    let verdicts = Kept::open(Some(&file)).unwrap().ask(&renamed, &Question::Alignment, &rows, &mut |_| ()).unwrap();
    assert_eq!(verdicts.len(), 30);
    assert_eq!(up.asked().len(), 30 - answered, "only the rest is asked");
}

/// A judge that moved to another address.
struct Renamed {
    judge: Endpoint,
    name: String,
}

impl Judge for Renamed {
    fn identity(&self, _: &Question) -> String {
        self.name.clone()
    }

    fn request(&self, question: &Question, row: &Exchange<'_>) -> Option<Value> {
        self.judge.request(question, row)
    }

    fn judge(&self, question: &Question, rows: &[Exchange<'_>], sink: &mut Sink<'_>) -> Result<()> {
        self.judge.judge(question, rows, sink)
    }
}

#[test]
fn what_no_further_try_can_mend_fails_at_once() {
    for status in [401, 403, 404] {
        let server = Scripted::start(move |_| Act::status(status));
        let error = ask(&judge(&EndpointPlan { concurrency: 1, ..plan(&server) }), None, &answers(5)).unwrap_err();
        assert!(error.render().contains(&format!("answers {status}")) && error.render().contains("hint: "), "{}", error.render());
        assert_eq!(server.asked().len(), 1, "{status}");
    }
    let server = Scripted::start(|_| Act::status(400));
    let error = ask(&judge(&EndpointPlan { concurrency: 1, ..plan(&server) }), None, &answers(5)).unwrap_err();
    assert!(error.render().contains("the answer that begins `answer number 0`: http://"), "{}", error.render());
    assert!(error.render().contains("answers 400"), "{}", error.render());
    assert_eq!(server.asked().len(), 2, "once with probabilities and once without");
}

#[test]
fn a_server_without_probabilities_is_asked_for_them_no_more() {
    let server = Scripted::start(|asked| if asked.body.contains("logprobs") { Act::status(400) } else { well(asked) });
    let verdicts = ask(&judge(&EndpointPlan { concurrency: 1, ..plan(&server) }), None, &answers(5)).unwrap();
    assert!(verdicts.iter().enumerate().all(|(i, verdict)| verdict.rating() == Some(i as f64)));
    assert_eq!(server.asked().iter().filter(|asked| asked.body.contains("logprobs")).count(), 1);
}

#[test]
fn a_request_asks_for_one_greedy_rating_with_probabilities() {
    let server = Scripted::start(well);
    ask(&judge(&plan(&server)), None, &answers(1)).unwrap();
    let asked = &server.asked()[0];
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert!(asked.head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{}", asked.head);
    assert_eq!((&body["model"], &body["temperature"], &body["top_logprobs"]), (&json!("made"), &json!(0), &json!(20)));
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("<answer>\nanswer number 0\n</answer>"));
}

#[test]
fn an_unreadable_verdict_is_unscored_and_not_asked_again() {
    let server = Scripted::start(|_| Act::ok("{\"choices\": [{\"message\": {\"content\": \"somewhere between 60 and 70\"}}]}"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("verdicts.jsonl");
    for _ in 0..2 {
        let verdicts = ask(&judge(&plan(&server)), Some(&file), &answers(1)).unwrap();
        assert_eq!((verdicts[0].rating(), verdicts[0].why_unscored()), (None, Some(Unscored::Unreadable)));
    }
    assert_eq!(server.asked().len(), 1);
}
