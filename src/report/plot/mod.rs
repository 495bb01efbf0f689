//! The report's pictures as SVG. Each is drawn twice, for a page and for a phone, and takes its colours from the style sheet; none needs a
//! script. `standalone` makes a picture of its own of one.

mod curves;
mod funnel;
mod rows;
mod scale;
mod spots;
mod svg;

pub(super) use curves::{Curve, Panel, curves};
pub(super) use funnel::{Funnel, Step, funnel};
pub(super) use rows::{Mark, Row, Rows};
pub(super) use scale::{Scale, Unit};
pub(super) use spots::{Spot, spots};

use super::markup::{Html, escape};
use svg::Svg;

/// How pictures look, in a page and alone.
pub(super) const STYLE: &str = include_str!("plot.css");

/// Around a picture that stands alone.
const MARGIN: f64 = 14.0;

/// The room for its title.
const TITLE: f64 = 22.0;

/// The room that a picture has across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// A page of a book or a screen.
    Wide,
    /// A phone.
    Narrow,
}

impl Width {
    fn across(self) -> f64 {
        match self {
            Self::Wide => 760.0,
            Self::Narrow => 360.0,
        }
    }
}

/// A picture and what it shows, in words for those who cannot see it.
pub(super) struct Picture<'a> {
    /// Its text alternative.
    pub(super) words: &'a str,
    /// Draws it.
    pub(super) draw: &'a dyn Fn(Width) -> Svg,
}

impl Picture<'_> {
    /// The picture for both widths; the style sheet shows one.
    pub(super) fn html(&self) -> Html {
        Html::raw(self.one(Width::Wide, "plot on-wide") + &self.one(Width::Narrow, "plot on-narrow"))
    }

    /// The narrow picture, on pages of every width.
    pub(super) fn narrow(&self) -> Html {
        Html::raw(self.one(Width::Narrow, "plot"))
    }

    fn one(&self, width: Width, class: &str) -> String {
        let (svg, words) = ((self.draw)(width), escape(self.words));
        format!(
            "<svg class=\"{class}\" viewBox=\"{}\" role=\"img\" aria-label=\"{words}\">\n{}</svg>\n",
            svg.view_box(),
            svg.body()
        )
    }

    /// The wide picture as a file of its own, light and dark, under the beginning of its words as a title.
    pub(super) fn standalone(&self) -> String {
        let svg = (self.draw)(Width::Wide);
        let title = self.words.split(": ").next().unwrap_or_default();
        let (width, height) = (svg.width() + 2.0 * MARGIN, svg.height() + 2.0 * MARGIN + TITLE);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" width=\"{width}\" viewBox=\"{left} {top} {width} {height}\" role=\"img\" \
             aria-label=\"{words}\">\n<style>\n{STYLE}</style>\n\
             <rect class=\"ground\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"title\" y=\"-14\">{title}</text>\n{body}</svg>\n",
            left = -MARGIN,
            top = -MARGIN - TITLE,
            words = escape(self.words),
            title = escape(title),
            body = svg.body()
        )
    }
}
