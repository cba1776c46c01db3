//! What is opened before the process gives up its rights, and how it begins.

use crate::folder::Folder;
use crate::options::Share;
use crate::{host, sandbox, serve};
use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;
use linnet_device::process::{self, reason};
use linnet_device::sys::{self, Errno, Fd};

/// Begin the process of a folder; the end of the stream on which it speaks vhost-user. If it cannot open the folder, it
/// says so on standard error and ends: see [`process::is_ready`].
///
/// # Errors
/// What the host refuses.
pub fn begin(share: &Share<'_>) -> sys::Result<Fd> {
    process::begin(c"linnet-share", |socket| {
        let descriptors = sys::raise_descriptor_limit();
        let mut folder = open(share, descriptors).unwrap_or_else(|text| process::fail(&text));
        process::tell_ready(socket);
        let _ = serve::serve(socket, &mut folder);
    })
}

/// Open it, and give up everything else; or a message.
fn open(share: &Share<'_>, descriptors: usize) -> Result<Folder, String> {
    let path = share.host;
    let refused = |errno| {
        let hint = match errno {
            Errno::NOENT => "\nhint: make it first, or correct the name",
            Errno(20) => "\nhint: give the folder that the file is in",
            Errno(13) => "\nhint: who starts the machine must be allowed to read it",
            _ => "",
        };
        format!("share {path}: {}{hint}", reason(errno))
    };
    let text = CString::new(path).map_err(|_| refused(Errno::NOENT))?;
    let folder = host::open_folder(&text).map_err(refused)?;
    host::prepare().map_err(|_| format!("share {path}: this host has no /proc"))?;
    // Now, rather than in the guest.
    host::open_again(&folder, host::open::DIRECTORY).map_err(refused)?;
    sandbox::enter(&folder, share.read_only);
    Folder::new(folder, share.read_only, descriptors).map_err(refused)
}
