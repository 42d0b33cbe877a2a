//! Curves in a few numbers.

use ckptscope_results::Summary;

fn of(values: &[Option<f64>]) -> Summary {
    let steps = (0..).step_by(10);
    Summary::of(steps.zip(values.iter().copied()))
}

#[test]
fn it_passes_over_gaps() {
    let values = [
        None,
        Some(2.0),
        None,
        Some(-1.0),
        Some(5.0),
        Some(4.0),
        None,
    ];
    let summary = of(&values);
    let expected = Summary {
        first: Some(2.0),
        last: Some(4.0),
        min: Some((-1.0, 30)),
        max: Some((5.0, 40)),
        mean: Some(2.5),
        change: Some(2.0),
        jump: Some((40, 6.0)),
        undefined: 3,
    };
    assert_eq!(summary, expected);
    assert_eq!(summary.relative_change(), Some(1.0));
}

#[test]
fn it_invents_no_changes() {
    assert_eq!(
        of(&[None, None]),
        Summary {
            undefined: 2,
            ..Summary::default()
        }
    );
    let single = of(&[Some(3.0)]);
    assert_eq!((single.change, single.jump), (None, None));
    let from_zero = of(&[Some(0.0), Some(1.0)]);
    assert_eq!(
        (from_zero.change, from_zero.relative_change()),
        (Some(1.0), None)
    );
    let even = of(&[Some(1.0), Some(1.0)]);
    assert_eq!((even.change, even.jump), (Some(0.0), None));
    assert_eq!(of(&[Some(-2.0), Some(-1.0)]).relative_change(), Some(0.5));
}
