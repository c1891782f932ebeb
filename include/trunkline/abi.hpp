/// What marks the public interface: which symbols the shared library shows, and its version.
///
/// Everything public lives in the inline namespace `trunkline::v0`; a program that was compiled
/// against another version of it does not link, instead of misbehaving.
#pragma once

/// A function or class that the shared library shows; all else is hidden.
#define TRUNKLINE_API __attribute__((visibility("default")))
