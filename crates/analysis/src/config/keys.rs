//! The keys that a config may have: what is checked, and what the reference says.

use serde::Serialize;

/// The keys of one kind of map.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Section {
    /// What the map is.
    pub name: &'static str,
    /// Where it stands.
    pub place: &'static str,
    /// Its keys, in the order in which they are usually written.
    pub keys: &'static [Key],
}

/// One key of a map.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What counts where it is left out.
    pub otherwise: Otherwise,
    /// What it says.
    pub summary: &'static str,
}

/// What counts where a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// It must not be left out.
    Needed,
    /// Sometimes it must not, in words.
    Depends(&'static str),
    /// This, in words.
    Is(&'static str),
}

/// Every map of a config, from the outside in.
pub const SECTIONS: &[&Section] = &[
    &CONFIG,
    &METRIC_ENTRY,
    &COMPONENT_ENTRY,
    &MODEL,
    &STEP_RANGE,
    &MONITORING,
    &WANDB,
    &PICO_REPORT,
];

/// The config itself.
pub const CONFIG: Section = Section {
    name: "Config",
    place: "the file",
    keys: &[
        Key {
            name: "analysis_name",
            takes: "a name that can be a folder's",
            otherwise: Otherwise::Is("the run's name and the time"),
            summary: "names the folder of results; `--resume` needs one",
        },
        Key {
            name: "metrics",
            takes: "a list of metric entries",
            otherwise: Otherwise::Needed,
            summary: "what to compute; two entries of one metric are both computed",
        },
        Key {
            name: "model",
            takes: "a map",
            otherwise: Otherwise::Is("what the model's own config says, and its tensors' shapes"),
            summary: "the model's dimensions, where its config is not there, does not say them or is wrong",
        },
        Key {
            name: "steps",
            takes: "a list, one step, a step range or `all`",
            otherwise: Otherwise::Needed,
            summary: "at which training steps; one that the run does not have is skipped with a warning",
        },
        Key {
            name: "on_error",
            takes: "`skip` or `stop`",
            otherwise: Otherwise::Is("`skip`"),
            summary: "what to do where a step cannot be read: leave it out with a warning, or refuse the analysis",
        },
        Key {
            name: "monitoring",
            takes: "a map",
            otherwise: Otherwise::Is("its own keys' defaults"),
            summary: "where results go",
        },
    ],
};

/// One entry of `metrics`.
pub const METRIC_ENTRY: Section = Section {
    name: "Metric entry",
    place: "each item of `metrics`",
    keys: &[
        Key {
            name: "metric_name",
            takes: "a metric's name",
            otherwise: Otherwise::Needed,
            summary: "which metric; its parameters are further keys of the entry",
        },
        Key {
            name: "name",
            takes: "a name",
            otherwise: Otherwise::Is("the metric's name, and what differs where that collides"),
            summary: "the entry's label: its files and charts are called so",
        },
        Key {
            name: "target_checkpoint",
            takes: "a step or `last`",
            otherwise: Otherwise::Depends("needed by metrics that compare, refused by others"),
            summary: "the checkpoint that every step is compared with",
        },
        Key {
            name: "data_split",
            takes: "`train` or `val`",
            otherwise: Otherwise::Needed,
            summary: "whose gradients and activations; weights serve both",
        },
        Key {
            name: "components",
            takes: "a list of component entries",
            otherwise: Otherwise::Needed,
            summary: "of which parts of the model",
        },
    ],
};

/// One entry of a metric's `components`.
pub const COMPONENT_ENTRY: Section = Section {
    name: "Component entry",
    place: "each item of `components`",
    keys: &[
        Key {
            name: "component_name",
            takes: "a component's name",
            otherwise: Otherwise::Needed,
            summary: "which component; its parameters are further keys of the entry",
        },
        Key {
            name: "data_type",
            takes: "`weights`, `gradients` or `activations`",
            otherwise: Otherwise::Needed,
            summary: "made of which data",
        },
        Key {
            name: "layer_suffixes",
            takes: "a suffix, a list of them, or a map by role",
            otherwise: Otherwise::Depends("needed unless roles are known"),
            summary: "the tensors of a layer that it is made of, as in `attention.o_proj`; each of a list alone",
        },
        Key {
            name: "part",
            takes: "a part of the model, or a list of them",
            otherwise: Otherwise::Depends("in the place of one suffix, or of a list of them"),
            summary: "what it is in the model, as in `value`; its architecture says which tensor",
        },
        Key {
            name: "stack",
            takes: "names before the layer's number, as in `encoder`",
            otherwise: Otherwise::Depends("needed where several have the suffixes"),
            summary: "of which stack of layers; a suffix may have it in front: `encoder.block.*.attn`",
        },
        Key {
            name: "layers",
            takes: "a list, one layer, `\"0..11\"` with both ends, `all` or `none`",
            otherwise: Otherwise::Needed,
            summary: "in which layers; one that is not there is an error; `none`: tensors outside of layers",
        },
    ],
};

/// The model's dimensions.
pub const MODEL: Section = Section {
    name: "Model",
    place: "`model`",
    keys: &[
        Key {
            name: "d_model",
            takes: "a whole number above 0",
            otherwise: Otherwise::Is(OF_MODEL),
            summary: "the width of the residual stream",
        },
        Key {
            name: "n_layers",
            takes: "a whole number above 0",
            otherwise: Otherwise::Is(OF_MODEL),
            summary: "how many layers there are",
        },
        Key {
            name: "n_heads",
            takes: "a whole number above 0",
            otherwise: Otherwise::Is(OF_MODEL),
            summary: "how many attention heads a layer has",
        },
        Key {
            name: "n_kv_heads",
            takes: "a whole number above 0",
            otherwise: Otherwise::Is("what its config or the tensors' shapes say"),
            summary: "how many key-value heads a layer has",
        },
        Key {
            name: "d_head",
            takes: "a whole number above 0",
            otherwise: Otherwise::Is("what its config or the tensors' shapes say"),
            summary: "the width of one head",
        },
    ],
};

const OF_MODEL: &str = "what the model's config says";

/// A range of steps.
pub const STEP_RANGE: Section = Section {
    name: "Step range",
    place: "`steps`, where it is a map",
    keys: &[
        Key {
            name: "start",
            takes: "a step",
            otherwise: Otherwise::Is("0"),
            summary: "the first step",
        },
        Key {
            name: "end",
            takes: "a step",
            otherwise: Otherwise::Needed,
            summary: "the last step, where a stride lands on it; it is never passed",
        },
        Key {
            name: "step",
            takes: "a whole number above 0",
            otherwise: Otherwise::Needed,
            summary: "the stride",
        },
    ],
};

/// The `monitoring` part.
pub const MONITORING: Section = Section {
    name: "Monitoring",
    place: "`monitoring`",
    keys: &[
        Key {
            name: "output_dir",
            takes: "a folder",
            otherwise: Otherwise::Is("`analysis_results`"),
            summary: "where the folder of results is made; `--output-dir` comes before it",
        },
        Key {
            name: "save_to_wandb",
            takes: "`true` or `false`",
            otherwise: Otherwise::Is("`false`"),
            summary: "whether a Weights & Biases run is written as well",
        },
        Key {
            name: "wandb",
            takes: "a map",
            otherwise: Otherwise::Depends("needed where `save_to_wandb` is true"),
            summary: "whose run it is",
        },
        Key {
            name: "save_to_picolabs",
            takes: "`true` or `false`",
            otherwise: Otherwise::Is("`false`"),
            summary: "whether a worker sends the numbers to Pico Labs as well; the key is `PICO_API_KEY`",
        },
        Key {
            name: "pico_report",
            takes: "a map",
            otherwise: Otherwise::Is("its own keys' defaults"),
            summary: "whose experiment it is",
        },
    ],
};

/// The `wandb` part of `monitoring`.
pub const WANDB: Section = Section {
    name: "Weights & Biases",
    place: "`monitoring.wandb`",
    keys: &[
        Key {
            name: "entity",
            takes: "a name",
            otherwise: Otherwise::Is("that of the API key"),
            summary: "the user or the team",
        },
        Key {
            name: "project",
            takes: "a name",
            otherwise: Otherwise::Depends("needed where `save_to_wandb` is true"),
            summary: "the project",
        },
    ],
};

/// The `pico_report` part of `monitoring`.
pub const PICO_REPORT: Section = Section {
    name: "Pico Labs",
    place: "`monitoring.pico_report`",
    keys: &[
        Key {
            name: "lab_hash",
            takes: "a lab's hash",
            otherwise: Otherwise::Is("`PICO_LAB_HASH`"),
            summary: "the lab",
        },
        Key {
            name: "experiment_name",
            takes: "a name",
            otherwise: Otherwise::Is("`PICO_EXPERIMENT_NAME`, or the analysis' name"),
            summary: "the experiment",
        },
        Key {
            name: "auto_commit",
            takes: "`true` or `false`",
            otherwise: Otherwise::Is("`false`"),
            summary: "read, and nothing more: nothing is ever committed or pushed",
        },
    ],
};

impl Section {
    /// The names of its keys.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}
