//! The few shapes that pictures are made of, each written with one decimal.

use super::Width;
use crate::report::markup::escape;

/// Where a text's anchor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing that grows downwards.
pub(in crate::report) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    pub(super) fn new(width: Width) -> Self {
        Self { width: width.across(), height: 0.0, body: String::new() }
    }

    pub(super) fn view_box(&self) -> String {
        format!("0 0 {} {}", short(self.width), short(self.height))
    }

    pub(super) fn width(&self) -> f64 {
        self.width
    }

    pub(super) fn height(&self) -> f64 {
        self.height
    }

    pub(super) fn body(&self) -> &str {
        &self.body
    }

    /// The drawing reaches down to here.
    pub(super) fn reach(&mut self, y: f64) {
        self.height = self.height.max(y);
    }

    /// Opens a group of this class, which gives its marks their colour.
    pub(super) fn open(&mut self, class: &str) {
        self.body += &format!("<g class=\"{class}\">");
    }

    pub(super) fn close(&mut self) {
        self.body += "</g>\n";
    }

    pub(super) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64), tip: &str) {
        let ((x, y), (w, h)) = (corner, size);
        let head = format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            short(x),
            short(y),
            short(w.max(0.0)),
            short(h)
        );
        self.finish(&head, "rect", tip);
    }

    pub(super) fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64, tip: &str) {
        let head = format!("<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\"", short(x), short(y), short(radius));
        self.finish(&head, "circle", tip);
    }

    pub(super) fn path(&mut self, class: &str, path: &str, tip: &str) {
        self.finish(&format!("<path class=\"{class}\" d=\"{path}\""), "path", tip);
    }

    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.body += &format!("<text class=\"{class}\" x=\"{}\" y=\"{}\"{anchor}>{}</text>\n", short(x), short(y), escape(text));
    }

    fn finish(&mut self, head: &str, tag: &str, tip: &str) {
        self.body += head;
        if tip.is_empty() {
            self.body += "/>\n";
        } else {
            self.body += &format!("><title>{}</title></{tag}>\n", escape(tip));
        }
    }
}

/// A coordinate: what lies beyond a tenth of a pixel is not seen.
pub(super) fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
