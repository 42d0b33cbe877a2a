//! Doc comments of Rust sources.

use syn::{Attribute, Expr, ExprLit, Fields, Item, Lit, Meta};

/// A type that a page documents.
pub(super) struct Documented {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// Its fields or variants.
    pub members: Vec<Member>,
    /// Whether one of them is chosen.
    pub is_choice: bool,
}

/// A field or a variant.
pub(super) struct Member {
    /// Its name, as it is written.
    pub name: String,
    /// Its type; empty for a variant that holds nothing.
    pub of: String,
    /// Its doc comment.
    pub docs: String,
}

/// A doc comment as Markdown.
pub(super) fn docs_of(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) if pair.path.is_ident("doc") => Some(text.value()),
            _ => None,
        }
    });
    let lines: Vec<String> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
        .collect();
    lines.join("\n")
}

/// The public structs and enums of a file, in its order.
pub(super) fn types_of(file: &syn::File) -> Vec<Documented> {
    file.items.iter().filter_map(documented).collect()
}

fn documented(item: &Item) -> Option<Documented> {
    match item {
        Item::Struct(item) => Some(Documented {
            name: item.ident.to_string(),
            docs: docs_of(&item.attrs),
            members: members_of(&item.fields),
            is_choice: false,
        }),
        Item::Enum(item) => Some(Documented {
            name: item.ident.to_string(),
            docs: docs_of(&item.attrs),
            members: item
                .variants
                .iter()
                .map(|variant| Member {
                    name: in_snake_case(&variant.ident.to_string()),
                    of: held_by(&variant.fields),
                    docs: docs_of(&variant.attrs),
                })
                .collect(),
            is_choice: true,
        }),
        _ => None,
    }
}

fn members_of(fields: &Fields) -> Vec<Member> {
    let member = |field: &syn::Field| {
        Some(Member {
            name: field.ident.as_ref()?.to_string(),
            of: name_of(&field.ty),
            docs: docs_of(&field.attrs),
        })
    };
    fields.iter().filter_map(member).collect()
}

fn held_by(fields: &Fields) -> String {
    let held: Vec<String> = fields.iter().map(|field| name_of(&field.ty)).collect();
    held.join(", ")
}

/// A type as JSON has it: a box is what it holds.
fn name_of(of: &syn::Type) -> String {
    let name = match of {
        syn::Type::Path(path) => path.path.segments.last(),
        syn::Type::Tuple(tuple) => {
            let parts: Vec<String> = tuple.elems.iter().map(name_of).collect();
            return format!("[{}]", parts.join(", "));
        }
        _ => None,
    };
    let Some(segment) = name else {
        return String::new();
    };
    let held = match &segment.arguments {
        syn::PathArguments::AngleBracketed(held) => held.args.first(),
        _ => None,
    };
    let held = match held {
        Some(syn::GenericArgument::Type(of)) => name_of(of),
        _ => String::new(),
    };
    match segment.ident.to_string().as_str() {
        "Box" => held,
        "Option" => format!("{held} or null"),
        "Vec" => format!("list of {held}"),
        "String" => "text".to_owned(),
        "bool" => "true or false".to_owned(),
        "u64" | "u32" | "usize" => "whole number".to_owned(),
        "f64" => "number".to_owned(),
        other => other.to_owned(),
    }
}

/// `InSnakeCase` as `in_snake_case`, which is how serde writes variants here.
pub(super) fn in_snake_case(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(character.to_lowercase());
    }
    words
}

/// A doc comment in one cell of a table, links to types without their brackets.
pub(super) fn in_a_cell(docs: &str) -> String {
    let line = docs.split_whitespace().collect::<Vec<_>>().join(" ");
    without_links(&line).replace('|', "\\|")
}

/// Links of rustdoc's to types as plain code.
pub(super) fn without_links(docs: &str) -> String {
    docs.replace("[`", "`").replace("`]", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_json_has_them() {
        let source = "/// A thing.\npub struct Thing {\n/// How many.\npub count: Option<u64>,\n/// Parts.\npub parts: Vec<(u64, String)> }\n/// One of.\npub enum Kind { /// Big.\nVeryBig(Box<Thing>), /// Small.\nSmall }";
        let types = syn::parse_file(source)
            .map(|file| types_of(&file))
            .unwrap_or_default();
        let all: Vec<String> = types
            .iter()
            .flat_map(|one| &one.members)
            .map(|member| format!("{}: {} {}", member.name, member.of, member.docs))
            .collect();
        assert_eq!(
            all,
            [
                "count: whole number or null How many.",
                "parts: list of [whole number, text] Parts.",
                "very_big: Thing Big.",
                "small:  Small."
            ]
        );
    }
}
