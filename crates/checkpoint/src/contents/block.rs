//! Which elements share a factor, by the shapes of a tensor and of its factors.

use super::quantization::Quantization;

/// The elements that share a factor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Their number along each dimension.
    pub(super) block: Vec<u64>,
    /// The same in words, and whether it was assumed.
    pub(super) in_words: String,
}

/// The blocks of a tensor of `shape` with factors of shape `factors`.
///
/// # Errors
/// Why the factors do not fit, in words that go on behind "and".
pub(super) fn blocks(
    shape: &[u64],
    factors: &[u64],
    quantization: &Quantization,
) -> Result<Blocks, String> {
    let count = |shape: &[u64]| shape.iter().try_fold(1_u64, |all, it| all.checked_mul(*it));
    if count(factors) == Some(1) {
        return Ok(Blocks {
            block: shape.to_vec(),
            in_words: "one factor for all".to_owned(),
        });
    }
    let leading = shape.get(..factors.len()).unwrap_or_default();
    if factors.len() < shape.len() && factors == leading {
        let whole = shape.get(factors.len()..).unwrap_or_default();
        let block = vec![1; factors.len()]
            .into_iter()
            .chain(whole.iter().copied());
        return Ok(Blocks {
            block: block.collect(),
            in_words: "a factor for each row".to_owned(),
        });
    }
    if factors.len() != shape.len() {
        return Err(format!("that does not fit the elements' {shape:?}"));
    }
    by_dimension(shape, factors, quantization)
}

fn by_dimension(
    shape: &[u64],
    factors: &[u64],
    quantization: &Quantization,
) -> Result<Blocks, String> {
    let rank = shape.len();
    let mut sizes = Vec::with_capacity(rank);
    let mut is_assumed = false;
    for (dimension, (extent, factors)) in shape.iter().zip(factors).enumerate() {
        let (extent, factors) = (*extent, *factors);
        if factors == 0 || factors > extent {
            return Err(format!("that does not fit the elements' {shape:?}"));
        }
        let said = quantization.block(rank - 1 - dimension);
        sizes.push(match (factors, said) {
            (1, _) => Sizes::one(extent),
            _ if factors == extent => Sizes::one(1),
            (_, Some(said)) if extent.div_ceil(said) == factors => Sizes::one(said),
            (_, Some(said)) => {
                return Err(format!(
                    "blocks of {said}, as the model's config says, would want {} along dimension \
                     {dimension}",
                    extent.div_ceil(said)
                ));
            }
            (_, None) => {
                is_assumed = true;
                Sizes::of(extent, factors)
            }
        });
    }
    let block = decided(&sizes, shape)?;
    let words: Vec<String> = block.iter().map(u64::to_string).collect();
    let in_words = match factors {
        [rows, 1] if shape.first() == Some(rows) => "a factor for each row".to_owned(),
        _ => format!("a factor for each block of {}", words.join(" x ")),
    };
    let assumed = if is_assumed {
        ", as the shapes have it (no config beside it says so)"
    } else {
        ""
    };
    Ok(Blocks {
        block,
        in_words: in_words + assumed,
    })
}

/// The sizes that blocks along a dimension may have.
struct Sizes {
    /// Those that people choose: equal parts, and powers of two.
    likely: Vec<u64>,
    /// The smallest that is possible.
    least: u64,
    /// The largest.
    most: u64,
    /// Whether nothing was to be guessed.
    is_certain: bool,
}

impl Sizes {
    fn one(size: u64) -> Self {
        Self {
            likely: vec![size],
            least: size,
            most: size,
            is_certain: true,
        }
    }

    /// Of `extent` elements in so many blocks, more than one and fewer than elements. All but the
    /// last are full, so a size is at least the quotient rounded up, and less than the elements
    /// divided by one block fewer.
    fn of(extent: u64, blocks: u64) -> Self {
        let least = extent.div_ceil(blocks);
        let most = (extent - 1) / (blocks - 1);
        if least == most {
            return Self {
                likely: vec![least],
                least,
                most,
                is_certain: false,
            };
        }
        let equal = extent.is_multiple_of(blocks).then_some(least);
        let powers = (0..63).map(|power| 1_u64 << power);
        let powers = powers.filter(|size| (least..=most).contains(size) && equal != Some(*size));
        Self {
            likely: equal.into_iter().chain(powers).collect(),
            least,
            most,
            is_certain: false,
        }
    }
}

/// One size for each dimension. Where a dimension leaves a choice, blocks are taken to be square.
fn decided(sizes: &[Sizes], shape: &[u64]) -> Result<Vec<u64>, String> {
    let guessed: Vec<&Sizes> = sizes.iter().filter(|sizes| !sizes.is_certain).collect();
    let common = guessed.first().map(|first| {
        let of_all = |size: &&u64| guessed.iter().all(|sizes| sizes.likely.contains(size));
        first
            .likely
            .iter()
            .filter(of_all)
            .copied()
            .collect::<Vec<u64>>()
    });
    let square = match common.as_deref() {
        Some([size]) if guessed.len() > 1 => Some(*size),
        _ => None,
    };
    let one = |sizes: &Sizes| match (square, sizes.likely.as_slice()) {
        (Some(square), _) if !sizes.is_certain => Ok(square),
        (_, [size]) => Ok(*size),
        (_, []) if sizes.least > sizes.most => {
            Err(format!("that does not fit the elements' {shape:?}"))
        }
        (_, []) => Err(format!(
            "blocks of the elements' {shape:?} may be of any size from {} to {}; \
             `quantization_config.weight_block_size` in the model's config.json says which",
            sizes.least, sizes.most
        )),
        (_, several) => Err(format!(
            "blocks of the elements' {shape:?} may be of sizes {several:?}; \
             `quantization_config.weight_block_size` in the model's config.json says which"
        )),
    };
    sizes.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(shape: &[u64], factors: &[u64]) -> Result<Vec<u64>, String> {
        blocks(shape, factors, &Quantization::default()).map(|blocks| blocks.block)
    }

    #[test]
    fn shapes_say_what_shares_a_factor() {
        for (shape, factors, block) in [
            (&[6, 8][..], &[][..], &[6, 8][..]),
            (&[6, 8], &[1], &[6, 8]),
            (&[6, 8], &[1, 1], &[6, 8]),
            (&[6, 8], &[6], &[1, 8]),
            (&[8, 8], &[8], &[1, 8]),
            (&[6, 8], &[6, 1], &[1, 8]),
            (&[6, 8], &[1, 8], &[6, 1]),
            (&[16, 16], &[4, 4], &[4, 4]),
            (&[10, 16], &[3, 4], &[4, 4]),
            (&[576, 7168], &[5, 56], &[128, 128]),
            (&[192, 7168], &[2, 56], &[128, 128]),
            (&[256, 256], &[2, 2], &[128, 128]),
            (&[4, 64], &[4, 2], &[1, 32]),
            (&[3, 8, 6], &[3, 1, 6], &[1, 8, 1]),
            (&[3, 8, 6], &[3], &[1, 8, 6]),
            (&[3, 256, 512], &[3, 2, 4], &[1, 128, 128]),
        ] {
            assert_eq!(
                found(shape, factors).as_deref(),
                Ok(block),
                "{shape:?} {factors:?}"
            );
        }
    }

    #[test]
    fn what_shapes_do_not_say_is_not_guessed() {
        let error = found(&[6, 8], &[2, 8]).unwrap_err();
        assert!(
            error.contains("sizes [3, 4]") && error.contains("weight_block_size"),
            "{error}"
        );
        let error = found(&[100, 8], &[3, 8]).unwrap_err();
        assert!(error.contains("any size from 34 to 49"), "{error}");
        for factors in [
            &[8][..],
            &[7, 8],
            &[6, 9],
            &[0, 8],
            &[6, 8, 1],
            &[2, 3, 4],
            &[6, 5],
        ] {
            let error = found(&[6, 8], factors).unwrap_err();
            assert!(error.contains("does not fit"), "{factors:?}: {error}");
        }
    }

    #[test]
    fn the_config_goes_before_the_shapes() {
        let said = Quantization {
            block: vec![4, 4],
            ..Quantization::default()
        };
        let found = blocks(&[6, 8], &[2, 2], &said).unwrap();
        assert_eq!(found.block, [4, 4]);
        assert_eq!(found.in_words, "a factor for each block of 4 x 4");
        let error = blocks(&[16, 8], &[3, 2], &said).unwrap_err();
        assert!(
            error.contains("blocks of 4") && error.contains("would want 4"),
            "{error}"
        );
        let rows = blocks(&[6, 8], &[6, 1], &said).unwrap();
        assert_eq!(rows.block, [1, 8]);
    }
}
