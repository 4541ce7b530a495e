//! A curve of the report, as a diagram that a reader of Markdown sees drawn, with its numbers below.

use std::fmt::Write;

/// A curve.
pub(crate) struct Plot {
    title: String,
    across: &'static str,
    unit: &'static str,
    points: Vec<(usize, f64)>,
}

impl Plot {
    /// An empty one: its title, what goes across, and the unit that goes up.
    pub(crate) fn new(title: &str, across: &'static str, unit: &'static str) -> Self {
        Self {
            title: title.to_owned(),
            across,
            unit,
            points: Vec::new(),
        }
    }

    /// One more point.
    pub(crate) fn point(&mut self, x: usize, y: f64) {
        self.points.push((x, y));
    }

    /// As Markdown with a Mermaid diagram.
    pub(crate) fn markdown(&self, text: &mut String) {
        let xs: Vec<String> = self.points.iter().map(|(x, _)| format!("\"{x}\"")).collect();
        let ys: Vec<String> = self.points.iter().map(|(_, y)| format!("{y:.3}")).collect();
        let _ = writeln!(text, "\n## A {}\n\n```mermaid\nxychart-beta", self.title);
        let _ = writeln!(text, "  x-axis \"{}\" [{}]", self.across, xs.join(", "));
        let _ = writeln!(text, "  y-axis \"{}\" 0 --> {:.3}", self.unit, self.highest() * 1.1);
        let _ = writeln!(text, "  line [{}]\n```\n", ys.join(", "));
        let cells: Vec<String> = self.points.iter().map(|(x, y)| format!("{x}: {y:.2} {}", self.unit)).collect();
        let _ = writeln!(text, "{}", cells.join(" · "));
    }

    fn highest(&self) -> f64 {
        self.points.iter().map(|(_, y)| *y).fold(0.001, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_every_point_and_room_above_the_highest() {
        let mut plot = Plot::new("turn", "handlers", "ms");
        plot.point(0, 0.5);
        plot.point(50, 2.0);
        let mut text = String::new();
        plot.markdown(&mut text);
        assert!(text.contains("x-axis \"handlers\" [\"0\", \"50\"]"), "{text}");
        assert!(text.contains("0 --> 2.200") && text.contains("line [0.500, 2.000]"), "{text}");
    }
}
