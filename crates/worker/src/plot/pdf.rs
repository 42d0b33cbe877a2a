//! Figures as PDF, which LaTeX takes as they are. Words stay words: whoever reads a paper can search
//! and copy them. The file carries the glyphs that it shows, and knows no time.

use anyhow::{Context, Result, anyhow};
use ckptscope_report::figure::Drawn;
use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::{Document, SerializeSettings};
use krilla_svg::{SurfaceExt, SvgSettings};

use super::outline::{self, Paper};

/// Points, of which an inch has 72, per centimetre.
const POINTS_PER_CM: f64 = 72.0 / 2.54;

/// The figure as a PDF document of one page.
pub(super) fn pdf(drawn: &Drawn, paper: Paper) -> Result<Vec<u8>> {
    let points = |centimetres: f64| (centimetres * POINTS_PER_CM) as f32;
    let size = Size::from_wh(points(paper.width_cm), points(paper.height_cm));
    let size = size.context("a figure has a size")?;
    let mut document = Document::new_with(SerializeSettings {
        // What it would say stands in the metadata already.
        xmp_metadata: false,
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    let title = outline::title(drawn)?;
    let metadata = Metadata::new().title(title);
    document.set_metadata(metadata.creator("ckptscope".to_owned()));
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    let tree = outline::tree(drawn)?;
    let drawn = surface.draw_svg(&tree, size, SvgSettings::default());
    drawn.context("the drawing is not read back")?;
    surface.finish();
    page.finish();
    let written = document.finish();
    written.map_err(|error| anyhow!("the figure as PDF: {error:?}"))
}
