//! Single figures.
