//! Configuration, components, plan, engine, protocol and results.
