//! How results are shown, as signals.

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::*;

use crate::choices::{Choices, ColourBy, Lines, Mode, Spread};
use crate::panel::{PanelId, Subject};

/// [`Choices`], each a signal of its own. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub mode: RwSignal<Mode>,
    pub x: RwSignal<Spread>,
    pub y: RwSignal<Spread>,
    pub lines: RwSignal<Lines>,
    pub colour: RwSignal<ColourBy>,
    /// The metric whose charts are shown; none for all.
    pub metric: RwSignal<Option<String>>,
    /// The step (or layer) that all legends read out: the pointer's, else the held one; none for
    /// the last.
    pub cursor: Memo<Option<u64>>,
    /// Where the cursor stays when no pointer moves it.
    pub held: RwSignal<Option<u64>>,
    pointed: RwSignal<Option<u64>>,
    pub hidden: RwSignal<BTreeSet<Subject>>,
    pub isolated: RwSignal<Option<Subject>>,
    /// What was hidden and isolated before the last change.
    before: StoredValue<(BTreeSet<Subject>, Option<Subject>)>,
    pub pinned: RwSignal<BTreeMap<Subject, u8>>,
    /// The chart that is shown large. Links do not carry it.
    pub enlarged: RwSignal<Option<PanelId>>,
}

impl View {
    pub(crate) fn new() -> Self {
        let held = RwSignal::<Option<u64>>::default();
        let pointed = RwSignal::<Option<u64>>::default();
        let view = Self {
            mode: RwSignal::default(),
            x: RwSignal::default(),
            y: RwSignal::default(),
            lines: RwSignal::default(),
            colour: RwSignal::default(),
            metric: RwSignal::default(),
            cursor: Memo::new(move |_| pointed.get().or(held.get())),
            held,
            pointed,
            hidden: RwSignal::default(),
            isolated: RwSignal::default(),
            before: StoredValue::default(),
            pinned: RwSignal::default(),
            enlarged: RwSignal::default(),
        };
        view.take(Choices::default());
        view
    }

    /// Shows results as these choices say.
    pub(crate) fn take(self, choices: Choices) {
        self.mode.set(choices.mode);
        self.x.set(choices.x);
        self.y.set(choices.y);
        self.lines.set(choices.lines);
        self.colour.set(choices.colour);
        self.metric.set(choices.metric);
        self.held.set(choices.cursor);
        self.pointed.set(None);
        self.hidden.set(choices.hidden);
        self.isolated.set(choices.isolated);
        self.pinned.set(choices.pinned);
        self.enlarged.set(None);
    }

    /// The choices as they are now; whoever calls hears of every change of them.
    pub(crate) fn choices(self) -> Choices {
        Choices {
            mode: self.mode.get(),
            x: self.x.get(),
            y: self.y.get(),
            lines: self.lines.get(),
            colour: self.colour.get(),
            metric: self.metric.get(),
            hidden: self.hidden.get(),
            isolated: self.isolated.get(),
            pinned: self.pinned.get(),
            cursor: self.held.get(),
        }
    }

    /// Hides a series, or shows it again.
    pub(crate) fn toggle(self, subject: &Subject) {
        let (mut hidden, isolated) = (self.hidden.get_untracked(), self.isolated.get_untracked());
        self.before.set_value((hidden.clone(), isolated.clone()));
        // Beside an isolated series no other is drawn: whoever clicks on one wants to see it.
        if isolated.is_some() {
            self.isolated.set(None);
            hidden.remove(subject);
        } else if !hidden.remove(subject) {
            hidden.insert(subject.clone());
        }
        self.hidden.set(hidden);
    }

    /// Takes the last [`View::toggle`] back.
    pub(crate) fn undo_toggle(self) {
        let (hidden, isolated) = self.before.get_value();
        self.hidden.set(hidden);
        self.isolated.set(isolated);
    }

    /// Shows this series alone, or all again.
    pub(crate) fn isolate(self, subject: &Subject) {
        let is_isolated = self
            .isolated
            .with_untracked(|isolated| isolated.as_ref() == Some(subject));
        self.isolated.set((!is_isolated).then(|| subject.clone()));
    }

    /// Shows all series again.
    pub(crate) fn show_all(self) {
        self.isolated.set(None);
        self.hidden.set(BTreeSet::new());
    }

    /// Gives a series a fixed colour, or none.
    pub(crate) fn pin(self, subject: &Subject, colour: Option<u8>) {
        self.pinned.update(|pinned| match colour {
            Some(colour) => {
                pinned.insert(subject.clone(), colour);
            }
            None => {
                pinned.remove(subject);
            }
        });
    }

    /// Chooses what lines are of; colours follow where the old ones would tell nothing apart.
    pub(crate) fn choose_lines(self, lines: Lines) {
        self.lines.set(lines);
        match lines {
            Lines::Heads => self.colour.set(ColourBy::Head),
            Lines::Layers if self.colour.get_untracked() == ColourBy::Head => {
                self.colour.set(ColourBy::Layer);
            }
            Lines::Layers => {}
        }
    }

    /// Moves the cursor with the pointer, or back to where it is held.
    pub(crate) fn point_at(self, x: Option<u64>) {
        if self.pointed.get_untracked() != x {
            self.pointed.set(x);
        }
    }

    /// Holds the cursor somewhere, or nowhere.
    pub(crate) fn hold(self, x: Option<u64>) {
        self.pointed.set(None);
        self.held.set(x);
    }

    /// Holds the cursor where the pointer is; lets go of one that is held there.
    pub(crate) fn hold_pointed(self) {
        let pointed = self.pointed.get_untracked();
        let is_held = pointed.is_some() && self.held.get_untracked() == pointed;
        self.held.set(pointed.filter(|_| !is_held));
    }
}
