//! Singular values of a tensor that is sent.

use std::io::Write;

use ckptscope_checkpoint::{Tensor, matrix_file};
use serde_json::Value;

use crate::client::Ask;
use crate::runs::Scratch;
use crate::server::{SMALL, Server};

const PATH: &str = "/api/singular-values";

/// Three rows and two columns with the singular values 5 and 2.
fn tensor() -> Tensor {
    Tensor {
        shape: vec![3, 2],
        values: vec![3.0, 4.0, 0.0, 0.0, 0.0, 2.0],
    }
}

fn sent(server: &Server, file: impl Into<Vec<u8>>) -> Ask {
    server.ask("POST", PATH).body(file)
}

#[test]
fn what_is_sent_is_decomposed() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let view = sent(&server, matrix_file(&tensor()))
        .send()
        .expect(200)
        .json();
    assert_eq!(view["is_estimated"], Value::Bool(false));
    let numbers = |name: &str| -> Vec<f64> {
        let all = view[name].as_array().unwrap().iter();
        all.map(|number| number.as_f64().unwrap()).collect()
    };
    let is_near = |found: f64, right: f64| (found - right).abs() < 1e-13;
    let values = numbers("values");
    assert!(is_near(values[0], 5.0) && is_near(values[1], 2.0), "{view}");
    let numbers = numbers("numbers");
    // Largest, nuclear norm, each with the ends of its interval.
    assert!(
        is_near(numbers[0], 5.0) && is_near(numbers[3], 7.0),
        "{view}"
    );
    assert!(
        is_near(numbers[4], 7.0) && is_near(numbers[5], 7.0),
        "{view}"
    );
}

#[test]
fn what_has_no_singular_values_is_refused_with_the_reason() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let of = |shape: [usize; 2], values: Vec<f64>| {
        matrix_file(&Tensor {
            shape: shape.to_vec(),
            values,
        })
    };
    sent(&server, of([1, 3], vec![1.0; 3]))
        .send()
        .refuses(422, &["one row or column"]);
    let holed = of([2, 2], vec![1.0, f64::NAN, 0.0, 1.0]);
    sent(&server, holed).send().refuses(422, &["finite"]);
    sent(&server, "no tensor").send().refuses(422, &[]);
    sent(&server, "").send().refuses(422, &[]);
    let mut short = of([2, 2], vec![1.0; 4]);
    short.pop();
    sent(&server, short).send().refuses(422, &[]);
    let two = crate::runs::checkpoint(1, 2, [4, 4]);
    sent(&server, two).send().refuses(422, &["tensors"]);
    server.ask("GET", PATH).send().refuses(405, &[]);
}

#[test]
fn what_would_take_too_much_memory_is_refused() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &["--memory", "1M"]);
    let of = |side: usize| {
        matrix_file(&Tensor {
            shape: vec![side, side],
            values: vec![0.1; side * side],
        })
    };
    // Before all of it has come, and once its shape is known.
    sent(&server, of(300)).send().refuses(413, &["--memory"]);
    sent(&server, of(200)).send().refuses(413, &["--memory"]);
    sent(&server, of(100)).send().expect(200);
}

#[test]
fn whoever_breaks_off_keeps_nobody_waiting() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let file = matrix_file(&tensor());
    for kept in [0, 8, file.len() - 1] {
        let length = file.len().to_string();
        let ask = server.ask("POST", PATH).header("Content-Length", &length);
        ask.start().write_all(&file[..kept]).unwrap();
    }
    sent(&server, file).send().expect(200);
}
