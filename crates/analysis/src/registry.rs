//! The metrics and components an analysis may name.
//!
//! Built-in metrics and components are trait objects in `const` slices. A registry starts with them
//! and takes one's own. Config reader, menus, `worker metrics` and the tests that walk every entry
//! ask the registry.

use ckptscope_metrics::{METRICS, Metric};

use crate::component::{COMPONENTS, Component};

/// The metrics and components that a config may name: the built-in ones and, after
/// [`Registry::metric`] and [`Registry::component`], one's own.
#[derive(Clone)]
pub struct Registry {
    metrics: Vec<&'static dyn Metric>,
    components: Vec<&'static dyn Component>,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            metrics: METRICS.to_vec(),
            components: COMPONENTS.to_vec(),
        }
    }
}

impl Registry {
    /// The same with one more metric; it replaces one of the same name.
    #[must_use]
    pub fn metric(mut self, metric: &'static dyn Metric) -> Self {
        self.metrics.retain(|known| known.name() != metric.name());
        self.metrics.push(metric);
        self
    }

    /// The same with one more component; it replaces one of the same name.
    #[must_use]
    pub fn component(mut self, component: &'static dyn Component) -> Self {
        self.components
            .retain(|known| known.name() != component.name());
        self.components.push(component);
        self
    }

    /// Every metric, in the order in which they are shown.
    #[must_use]
    pub fn metrics(&self) -> &[&'static dyn Metric] {
        &self.metrics
    }

    /// Every component, in the order in which they are shown.
    #[must_use]
    pub fn components(&self) -> &[&'static dyn Component] {
        &self.components
    }
}
