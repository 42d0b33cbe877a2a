//! Records, arranged as charts show them.

use trainscope_analysis::protocol::Record;

/// All charts of one analysis, in the order in which their first records came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panels(pub Vec<Panel>);

/// One chart: one number of one metric entry, of one kind of data.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The metric entry's label.
    pub label: String,
    /// Which of the metric's numbers, where it gives several; else empty.
    pub output: String,
    /// `train` or `val`.
    pub split: String,
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
    /// Its lines, sorted by component, layer and head.
    pub lines: Vec<Line>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is of.
    pub subject: Subject,
    /// (step, value) by ascending step; none where the value does not exist.
    pub points: Vec<(u64, Option<f64>)>,
}

/// A component of one layer, or one head of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// A suffix, or the component's name.
    pub component: String,
    /// The layer.
    pub layer: u64,
    /// The head; none for the layer's own.
    pub head: Option<u64>,
}

impl Panels {
    /// Takes in one more record.
    pub fn add(&mut self, record: Record) {
        let index = self.0.iter().position(|panel| panel.holds(&record));
        let index = index.unwrap_or_else(|| {
            self.0.push(Panel::of(&record));
            self.0.len() - 1
        });
        self.0[index].add(record);
    }

    /// The labels of all metric entries, each once, in order.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for panel in &self.0 {
            if !labels.contains(&panel.label) {
                labels.push(panel.label.clone());
            }
        }
        labels
    }
}

impl Panel {
    fn of(record: &Record) -> Self {
        Self {
            label: record.label.clone(),
            output: record.output.clone(),
            split: record.split.clone(),
            data_type: record.data_type.clone(),
            lines: Vec::new(),
        }
    }

    /// What the chart is called: the label, and which of its numbers.
    #[must_use]
    pub fn title(&self) -> String {
        if self.output.is_empty() {
            return self.label.clone();
        }
        format!("{} {}", self.label, self.output)
    }

    /// The components of its lines, each once, in order.
    #[must_use]
    pub fn components(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .lines
            .iter()
            .map(|line| line.subject.component.as_str())
            .collect();
        names.dedup();
        names
    }

    /// The steps at which any of its lines has a point, ascending.
    #[must_use]
    pub fn steps(&self) -> Vec<u64> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let mut steps: Vec<u64> = points.map(|point| point.0).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Whether any line is of a head.
    #[must_use]
    pub fn has_heads(&self) -> bool {
        self.lines.iter().any(|line| line.subject.head.is_some())
    }

    fn holds(&self, record: &Record) -> bool {
        self.label == record.label
            && self.output == record.output
            && self.split == record.split
            && self.data_type == record.data_type
    }

    fn add(&mut self, record: Record) {
        let subject = Subject {
            component: record.component,
            layer: record.layer,
            head: record.head,
        };
        let place = self
            .lines
            .binary_search_by(|line| line.subject.cmp(&subject));
        let index = place.unwrap_or_else(|index| {
            self.lines.insert(
                index,
                Line {
                    subject,
                    points: Vec::new(),
                },
            );
            index
        });
        self.lines[index].add(record.step, record.value);
    }
}

impl Line {
    /// The value at a step: none where there is no point or the point has no value.
    #[must_use]
    pub fn at(&self, step: u64) -> Option<f64> {
        let index = self
            .points
            .binary_search_by_key(&step, |point| point.0)
            .ok()?;
        self.points[index].1
    }

    fn add(&mut self, step: u64, value: Option<f64>) {
        match self.points.binary_search_by_key(&step, |point| point.0) {
            Ok(index) => self.points[index].1 = value,
            Err(index) => self.points.insert(index, (step, value)),
        }
    }
}

impl Subject {
    /// `layer 0 · v_proj`, `layer 0 · ov_circuit · head 1`.
    #[must_use]
    pub fn name(&self) -> String {
        let component = short(&self.component);
        match self.head {
            Some(head) => format!("layer {} · {component} · head {head}", self.layer),
            None => format!("layer {} · {component}", self.layer),
        }
    }
}

/// The last part of a suffix: `v_proj` of `attention.v_proj`.
#[must_use]
pub fn short(component: &str) -> &str {
    component
        .rsplit_once('.')
        .map_or(component, |(_, last)| last)
}
