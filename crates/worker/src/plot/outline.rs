//! Figures whose words are outlines, so that they look the same everywhere.
//!
//! An SVG file that names a font looks otherwise wherever that font is not. Most programs that
//! papers are written with ignore fonts embedded in SVG. So usvg replaces words with outlines of
//! DejaVu Sans, from `crates/worker/fonts`, and resvg makes PNG of the same. The page does not pay
//! for this: only the worker has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, Result};
use ckptscope_report::figure::Drawn;
use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::roxmltree::Document;
use resvg::usvg::{Options, Tree, WriteOptions, fontdb};
use skrifa::{FontRef, GlyphId, MetadataProvider};

/// See `fonts/README.md`.
const FONTS: [&[u8]; 2] = [
    include_bytes!("../../fonts/DejaVuSans.ttf"),
    include_bytes!("../../fonts/DejaVuSans-Bold.ttf"),
];
const FAMILY: &str = "DejaVu Sans";
/// A picture has at most so many pixels.
const MOST_PIXELS: f64 = 2e8;

/// How large a figure is on paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Paper {
    pub(super) width_cm: f64,
    pub(super) height_cm: f64,
}

/// The figure as an SVG document with its size in centimetres.
pub(super) fn svg(drawn: &Drawn, paper: Paper) -> Result<String> {
    let options = WriteOptions {
        preserve_text: false,
        coordinates_precision: 2,
        ..WriteOptions::default()
    };
    let outlined = tree(drawn)?.to_string(&options);
    let inside = outlined
        .split_once('>')
        .map(|(_, inside)| inside)
        .context("a drawing has a root")?;
    let size = drawn.size;
    let title = title_in_xml(&drawn.svg);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}cm\" height=\"{}cm\" viewBox=\"0 0 {} \
         {}\" preserveAspectRatio=\"none\" role=\"img\">\n<title>{title}</title>{inside}",
        paper.width_cm, paper.height_cm, size.width, size.height
    ))
}

/// The figure as a PNG picture of so many pixels per inch.
pub(super) fn png(drawn: &Drawn, paper: Paper, dpi: u32) -> Result<Vec<u8>> {
    let pixels = |centimetres: f64| (centimetres / 2.54 * f64::from(dpi)).round();
    let (width, height) = (pixels(paper.width_cm), pixels(paper.height_cm));
    anyhow::ensure!(
        width * height <= MOST_PIXELS,
        "{width} by {height} pixels are too many; choose a lower --dpi"
    );
    let mut picture =
        Pixmap::new(width as u32, height as u32).context("a picture has at least a pixel")?;
    let scale = Transform::from_scale(
        (width / f64::from(drawn.size.width)) as f32,
        (height / f64::from(drawn.size.height)) as f32,
    );
    resvg::render(&tree(drawn)?, scale, &mut picture.as_mut());
    encoded(&picture, dpi)
}

/// The characters of the figure's words that the font does not have, each once. They are left out.
pub(super) fn lacking(drawn: &Drawn) -> Result<BTreeSet<char>> {
    let [font, _] = FONTS;
    let characters = FontRef::new(font).context("a font")?.charmap();
    let document = Document::parse(&drawn.svg).context("the drawing is not read back")?;
    let words = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    let words = words.filter_map(|words| words.text()).flat_map(str::chars);
    let is_lacking = |character: &char| {
        let glyph = characters.map(*character);
        !character.is_whitespace() && glyph.is_none_or(|glyph| glyph == GlyphId::NOTDEF)
    };
    Ok(words.filter(is_lacking).collect())
}

/// The ground is opaque, so the picture is.
fn encoded(picture: &Pixmap, dpi: u32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let per_metre = (f64::from(dpi) / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: Unit::Meter,
    }));
    let colours = picture.data().chunks_exact(4);
    let colours: Vec<u8> = colours
        .flat_map(|pixel| pixel.iter().take(3))
        .copied()
        .collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&colours)?;
    writer.finish()?;
    Ok(bytes)
}

/// The figure as it is drawn.
pub(super) fn tree(drawn: &Drawn) -> Result<Tree> {
    let mut fonts = fontdb::Database::new();
    for font in FONTS {
        fonts.load_font_data(font.to_vec());
    }
    let options = Options {
        font_family: FAMILY.to_owned(),
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    Tree::from_str(&drawn.svg, &options).context("the drawing is not read back")
}

/// What the drawing says it shows.
pub(super) fn title(drawn: &Drawn) -> Result<String> {
    let document = Document::parse(&drawn.svg).context("the drawing is not read back")?;
    let mut nodes = document.descendants();
    let title = nodes.find(|node| node.has_tag_name("title"));
    let title = title.and_then(|title| title.text()).unwrap_or_default();
    Ok(title.to_owned())
}

/// The same as XML has it.
fn title_in_xml(svg: &str) -> &str {
    let after = svg.split_once("<title>").map_or("", |(_, after)| after);
    after.split_once("</title>").map_or("", |(title, _)| title)
}
