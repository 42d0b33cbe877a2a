//! Lists that a file joins with one line: metrics, components, architectures, charts, tabs.

/// Declares a list of items and, from the same lines, the modules that they stand in.
///
/// Each line names a file beside this one and its items, so that adding to a list is one file and
/// one line. `cargo fmt` does not look into such files; `cargo xtask fmt` does.
///
/// ```ignore
/// ckptscope_vocabulary::registry! {
///     /// Every chart.
///     pub const CHARTS: [&Chart] = mod {
///         line: CHART;
///         heatmap: CHART;
///     }
/// }
/// ```
#[macro_export]
macro_rules! registry {
    (
        $(#[$about:meta])*
        $seen:vis const $LIST:ident: [$Item:ty] = $reached:vis mod {
            $($file:ident: $($item:ident),+;)+
        }
    ) => {
        $($reached mod $file;)+

        $(#[$about])*
        $seen const $LIST: &[$Item] = &[$($(&$file::$item),+),+];
    };
}
