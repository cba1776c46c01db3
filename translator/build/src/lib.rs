//! Builds boot binaries: gets the sources, builds the guest's parts, translates and links them.
//!
//! | file          | what it does                                                          |
//! |---------------|-----------------------------------------------------------------------|
//! | [`builder`]   | the door: where the source tree, the cache and the tools are          |
//! | [`tools`]     | programs that a build needs, and the packages that hold them          |
//! | [`apt`]       | fetches from the machine's own Debian archive, for any user           |
//! | [`sources`]   | the upstream sources in `sysroot/sources.toml`                        |
//! | [`guest`]     | kernel, C library and programs: what each is made of                  |
//! | [`parallel`]  | work shared by threads                                                |
//! | [`script`]    | runs one build command with its output in a log                       |
//! | [`cache`]     | finished results by key, published atomically                         |
//! | [`digest`]    | digests of files and trees, keys made of them                         |
//! | [`translate`] | modules to objects                                                    |
//! | [`runtime`]   | the runtime's archive                                                 |
//! | [`packages`]  | programs of others, built by the recipes in `sysroot/packages`        |
//! | [`files`]     | what users bring: directories, archives, packages, images, programs   |
//! | [`rootfs`]    | what lies in the guest's root file system                             |
//! | [`tree`]      | a file system to be                                                   |
//! | [`cpio`]      | the form in which the kernel gets it                                  |
//! | [`workshop`]  | where builds take place that other projects' scripts do               |
//! | [`system`]    | what a machine is made of, as a `linnet.toml` describes it            |
//! | [`image`]     | the object that describes a boot binary to the runtime                |
//! | [`link`]      | the linker step                                                       |
//! | [`wasi`]      | a module of WASI becomes an executable                                |
//! | [`pack`]      | a boot binary inside another, compressed                              |
//! | [`object_file`] | objects of data for the linker                                      |
//! | [`boot`]      | all of it put together                                                |
//! | [`oci`]       | boot binaries as an image for container engines                       |
//! | [`inspect`]   | what is in a module, a package or a boot binary                       |
//! | [`snapshot`]  | what is in a snapshot                                                 |
//! | [`service`]   | translation of programs that a running machine starts                 |
//! | [`output`]    | files that are written whole or not at all                            |

#![forbid(unsafe_code)]

mod apt;
mod boot;
mod builder;
mod cache;
mod cpio;
mod digest;
mod error;
mod files;
mod frozen;
mod guest;
mod image;
pub mod inspect;
pub mod library;
mod link;
mod object_file;
pub mod oci;
pub mod output;
mod pack;
mod packages;
mod parallel;
mod progress;
mod rootfs;
mod runtime;
mod script;
pub mod service;
pub mod snapshot;
mod sources;
mod system;
mod tools;
pub mod translate;
mod tree;
mod wasi;
mod workshop;

pub use boot::host;
pub use builder::Builder;
pub use error::{At, Error, Result};
pub use files::Files;
pub use guest::{KernelVersion, Sdk, binary_tool};
pub use linnet_codegen::Target;
pub use packages::Check;
pub use progress::show_on_terminal;
pub use system::System;
pub use wasi::Executable;
