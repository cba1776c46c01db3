//! Machines with a network that are frozen, or go to another process: what is connected to the host ends, and all can be
//! connected anew.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use linnet_build::{At as _, Error, Result, host};

use crate::freeze::{Place, check, command, has_status};
use crate::migrate::Waiting;
use crate::net::{ask, free_port, serve};
use crate::{Test, machine};

const LIMIT: Duration = Duration::from_secs(40);

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for (name, test) in [
        ("network-of-a-resumed-machine-begins-anew", resumed as fn() -> Result<()>),
        ("network-of-a-machine-that-moves-begins-anew", moved),
    ] {
        tests.push((format!("freeze-net::{name}"), Box::new(move || Ok(test()?))));
    }
    tests
}

/// A connection that is in use when the machine is frozen by `freezes` ends. There can be others, to both sides.
fn script(freezes: &str) -> Result<String> {
    let takes = serve(Ipv4Addr::LOCALHOST, |mut stream| {
        std::io::copy(&mut stream, &mut std::io::sink()).map(|_| ())
    })?;
    let answers = serve(Ipv4Addr::LOCALHOST, |mut stream| {
        let _ = stream.read(&mut [0; 4096])?;
        stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\nfetched\n")
    })?;
    Ok(format!(
        "mkdir /www; echo contents >/www/file
        httpd -f -vv -h /www -p 80 2>/tmp/log &
        (nc 10.0.2.2 {takes} </dev/zero >/dev/null 2>&1; touch /tmp/closed) &
        wget -q -O - http://10.0.2.2:{answers}/ && {freezes}
        until test -e /tmp/closed; do sleep 0.1; done
        wget -q -O - http://10.0.2.2:{answers}/
        until grep -q /file /tmp/log; do sleep 0.1; done; sleep 0.2; echo ended"
    ))
}

/// What the guest serves on a port of the host.
fn asker(port: u16) -> thread::JoinHandle<std::io::Result<String>> {
    thread::spawn(move || ask(port, b"GET /file HTTP/1.0\r\n\r\n", LIMIT))
}

fn has_served(asker: thread::JoinHandle<std::io::Result<String>>) -> Result<()> {
    let answer = asker.join().map_err(|_| Error::new("the asker has ended"))?;
    let answer = answer.at("the guest's answer")?;
    check(answer.ends_with("contents\n"), || answer.clone())
}

fn resumed() -> Result<()> {
    let place = Place::new("freeze-net")?;
    let file = place.path("snapshot");
    let mut first = command(host()?)?;
    let script = script("freeze --exit")?;
    first.args(["--net", "user", "--freeze-to", &file, "--", "sh", "-c", &script]);
    let ended = machine::run(&mut first, &[], LIMIT)?;
    has_status(&ended, 0)?;
    check(ended.output == "fetched\n", || ended.output.clone())?;
    // It has no device that the guest could use.
    let mut without = command(host()?)?;
    let ended = machine::run(without.args(["--resume", &file]), &[], LIMIT)?;
    has_status(&ended, 73)?;
    check(ended.output.contains("hint: give it one with --net"), || ended.output.clone())?;
    let port = free_port()?;
    let asker = asker(port);
    let mut again = command(host()?)?;
    again.args(["--net", "user", "--publish", &format!("{port}:80"), "--resume", &file]);
    let ended = machine::run(&mut again, &[], LIMIT)?;
    has_status(&ended, 0)?;
    check(ended.output == format!("{OPEN}fetched\nended\n"), || ended.output.clone())?;
    has_served(asker)
}

const OPEN: &str = "note: the published ports are open again\n";

fn moved() -> Result<()> {
    let place = Place::new("freeze-net-moved")?;
    let address = format!("unix:{}", place.path("socket"));
    let port = free_port()?;
    let publish = format!("{port}:80");
    let waiting = Waiting::start(host()?, &address, &["--net", "user", "--publish", &publish])?;
    let mut source = command(host()?)?;
    source.args(["--net", "user", "--migrate-to", &address, "--", "sh", "-c", &script("freeze")?]);
    let ended = machine::run(&mut source, &[], LIMIT)?;
    has_status(&ended, 0)?;
    let wanted = format!("fetched\nnote: the machine goes on at {address}\n");
    check(ended.output == wanted, || ended.output.clone())?;
    let asker = asker(port);
    let ended = waiting.ends()?;
    has_status(&ended, 0)?;
    check(ended.output == format!("{OPEN}fetched\nended\n"), || ended.output.clone())?;
    has_served(asker)?;
    // A port of one host is published once.
    let other = Waiting::start(host()?, &address, &["--net", "user", "--publish", &publish])?;
    let mut source = command(host()?)?;
    source.args(["--net", "user", "--publish", &publish, "--migrate-to", &address, "--", "true"]);
    let ended = machine::run(&mut source, &[], LIMIT)?;
    has_status(&ended, 70)?;
    check(ended.output.contains("\nhint: publish another port"), || ended.output.clone())?;
    drop(other);
    fs::remove_file(place.path("socket")).at("socket")
}
