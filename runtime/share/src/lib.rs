//! A folder of the host in a machine, by a process of its own: the other end of a virtio-fs device.
//!
//! The machine's process has no rights over files; this one has those over one folder, and nothing else. The guest's
//! kernel speaks FUSE (uapi/linux/fuse.h) over virtqueues. All that it gives is checked where it enters: queues in
//! `linnet-virtio`, requests in `request`.
//!
//! | file         | what it does                                                                    |
//! |--------------|---------------------------------------------------------------------------------|
//! | [`options`]  | what the user asks for                                                          |
//! | [`setup`]    | what is opened before the process begins; and how it begins                     |
//! | `serve`      | waits for the guest, and has its requests answered                              |
//! | `request`    | a request as it lies in guest memory, and room for its answer                   |
//! | `fuse`       | numbers of the protocol                                                         |
//! | `folder`     | which request is answered by what                                               |
//! | `nodes`      | files and directories that the guest knows                                      |
//! | `handles`    | those that it has open                                                          |
//! | `names`      | requests about names: look-up, creation, removal, renaming                      |
//! | `attributes` | requests about modes, owners, times, sizes and extended attributes              |
//! | `files`      | requests about what is in files                                                 |
//! | `listing`    | requests about what is in directories                                           |
//! | `host`       | system calls                                                                    |
//! | `sandbox`    | what the process gives up                                                       |
//!
//! **No way out of the folder.** A name of the guest is one component, neither `.` nor `..`, looked up in a directory
//! that is open already, without following links: there is no path to walk, so nothing can change during a walk.
//! Symbolic links are followed by the guest's kernel, among the guest's files. A node stays what it was when it was
//! looked up, whatever is renamed: it holds a descriptor (`O_PATH`). Only regular files and directories are opened.
//! Landlock is the second wall.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attributes;
mod files;
mod folder;
mod fuse;
#[cfg(test)]
mod fuzz;
mod handles;
mod host;
mod listing;
mod names;
mod nodes;
pub mod options;
mod request;
mod sandbox;
mod serve;
pub mod setup;
