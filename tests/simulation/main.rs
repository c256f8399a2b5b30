//! Stories of two and three computers, told to the real engine. A story that fails prints its seed.

mod random;
mod stories;
