//! Machines with a network, and programs of the host that they talk to. All of it stays on loopback.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Error, Result, Target};

use crate::machine::{self, Ended};
use crate::{Outcome, Test, vm};

const LIMIT: Duration = Duration::from_secs(60);

/// Bytes of a long answer: more than any buffer on the way has.
const LONG: usize = 20 << 20;

/// A test and its name.
type Named = (&'static str, fn(Target) -> Outcome);

pub(crate) fn tests(target: Target) -> Vec<Test> {
    let tests: [Named; 7] = [
        ("guest-fetches-from-the-host", fetch),
        ("guest-sends-to-the-host", send),
        ("host-reaches-published-ports", published),
        ("datagrams-go-both-ways", datagrams),
        ("who-does-not-listen-refuses", refused),
        ("many-connections-at-once", many),
        ("connections-come-and-go", storm),
    ];
    let test =
        |(name, run): Named| -> Test { (format!("net::{name}"), Box::new(move || run(target))) };
    tests.into_iter().map(test).collect()
}

/// Runs a script in a machine with a network; what it prints.
fn guest(target: Target, options: &[&str], script: &str) -> Result<String> {
    let mut command = machine::command(target, &vm(target)?)?;
    if target != linnet_build::host()? {
        command.arg("--no-sandbox");
    }
    command.args(["--net", "user"]).args(options).args(["--", "sh", "-c", script]);
    let Ended { status, output } = machine::run(&mut command, &[], machine::limit(target, LIMIT))?;
    match status {
        Some(status) if status.success() => Ok(output),
        status => Err(Error::new(format!("{status:?}\n{output}"))),
    }
}

fn expect(output: &str, wanted: &str) -> Outcome {
    match output.trim() == wanted {
        true => Ok(()),
        false => Err(Error::new(format!("not {wanted:?}:\n{output}")).into()),
    }
}

/// Answers each connection to a new port of loopback, in a thread of its own, until the test ends.
pub(crate) fn serve(
    address: impl Into<std::net::IpAddr>,
    answer: fn(TcpStream) -> io::Result<()>,
) -> Result<u16> {
    let listener = TcpListener::bind(SocketAddr::new(address.into(), 0)).at("loopback")?;
    let port = listener.local_addr().at("loopback")?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // What goes wrong shows in the guest.
            thread::spawn(move || drop(answer(stream)));
        }
    });
    Ok(port)
}

fn pattern() -> Vec<u8> {
    (0..LONG).map(|n| (n as u32).wrapping_mul(0x9e37_79b1).to_be_bytes()[0]).collect()
}

/// What `cksum` says of the pattern, by the guest itself, is compared with what it says of what came.
fn fetch(target: Target) -> Outcome {
    let answer: fn(TcpStream) -> io::Result<()> = |mut stream| {
        let mut request = [0; 4096];
        let n = stream.read(&mut request)?;
        let is_short = request[..n].starts_with(b"GET /short");
        let body = if is_short { b"short\n".to_vec() } else { pattern() };
        write!(stream, "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)
    };
    let (port, port6) = (serve(Ipv4Addr::LOCALHOST, answer)?, serve(Ipv6Addr::LOCALHOST, answer)?);
    let script = format!(
        "cat /etc/resolv.conf
        wget -q -O - http://10.0.2.2:{port}/short
        wget -q -O - http://10.0.2.2:{port}/long | cksum
        until ip -6 address show dev eth0 | grep -v tentative | grep -q 'inet6 fd4c'; do sleep 0.1; done
        wget -q -O - 'http://[fd4c:696e:6e65:7400::2]:{port6}/short'
        wget -q -O - 'http://[fd4c:696e:6e65:7400::2]:{port6}/long' | cksum"
    );
    let sum = checksum(&pattern());
    let wanted = format!("nameserver 10.0.2.3\nshort\n{sum} {LONG}\nshort\n{sum} {LONG}");
    expect(&guest(target, &[], &script)?, &wanted)
}

/// POSIX's `cksum`.
fn checksum(bytes: &[u8]) -> u32 {
    let len = bytes.len().to_le_bytes();
    let used = len.len() - len.iter().rev().take_while(|byte| **byte == 0).count();
    let mut table = [0_u32; 256];
    for (n, entry) in table.iter_mut().enumerate() {
        *entry = (0..8).fold((n as u32) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 != 0 { 0x04c1_1db7 } else { 0 }
        });
    }
    let crc = bytes
        .iter()
        .chain(&len[..used])
        .fold(0_u32, |crc, byte| crc << 8 ^ table[((crc >> 24) as u8 ^ byte) as usize]);
    !crc
}

/// The guest ends its side first: the host still answers, with what it has counted.
fn send(target: Target) -> Outcome {
    let port = serve(Ipv4Addr::LOCALHOST, |mut stream| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        writeln!(stream, "{} {}", checksum(&bytes), bytes.len())
    })?;
    let script = format!(
        "seq 1 1000000 > /tmp/numbers
        nc 10.0.2.2 {port} < /tmp/numbers > /tmp/answer
        cksum < /tmp/numbers | cmp - /tmp/answer && echo same"
    );
    expect(&guest(target, &[], &script)?, "same")
}

/// A port of loopback that nobody has now.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).at("loopback")?;
    Ok(listener.local_addr().at("loopback")?.port())
}

/// Connects, and tries again while the guest does not listen yet: the first bytes of what it answers.
pub(crate) fn ask(port: u16, question: &[u8], limit: Duration) -> io::Result<String> {
    let end = Instant::now() + limit;
    loop {
        let answer = (|| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_read_timeout(Some(limit))?;
            stream.write_all(question)?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            if text.is_empty() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(text) }
        })();
        if answer.is_ok() || Instant::now() > end {
            return answer;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn published(target: Target) -> Outcome {
    let port = free_port()?;
    let publish = format!("{port}:80");
    let limit = machine::limit(target, LIMIT) / 2;
    let asker = thread::spawn(move || {
        let first = ask(port, b"GET /file HTTP/1.0\r\n\r\n", limit)?;
        let last = ask(port, b"GET /done HTTP/1.0\r\n\r\n", limit)?;
        Ok::<_, io::Error>((first, last))
    });
    let script = "mkdir /www; echo contents > /www/file; touch /tmp/log
        httpd -f -vv -h /www -p 80 2> /tmp/log &
        until grep -q /done /tmp/log; do sleep 0.1; done
        sleep 0.2; echo ended";
    let output = guest(target, &["--publish", &publish], script)?;
    expect(&output, "ended")?;
    let (first, last) =
        asker.join().map_err(|_| Error::new("the asker has ended"))?.at("the guest's answer")?;
    if !first.starts_with("HTTP/1.0 200") && !first.starts_with("HTTP/1.1 200")
        || !first.ends_with("contents\n")
    {
        return Err(Error::new(format!("an answer of the guest:\n{first}")).into());
    }
    if !last.contains("404") {
        return Err(Error::new(format!("an answer of the guest:\n{last}")).into());
    }
    Ok(())
}

/// To a port of the host, and to a published one.
fn datagrams(target: Target) -> Outcome {
    let echo = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).at("loopback")?;
    let port = echo.local_addr().at("loopback")?.port();
    thread::spawn(move || {
        let mut bytes = [0; 65536];
        while let Ok((n, from)) = echo.recv_from(&mut bytes) {
            let _ = echo.send_to(&bytes[..n], from);
        }
    });
    let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).at("loopback")?;
    let published = probe.local_addr().at("loopback")?.port();
    drop(probe);
    let limit = machine::limit(target, LIMIT) / 2;
    let asker = thread::spawn(move || -> io::Result<Vec<u8>> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect((Ipv4Addr::LOCALHOST, published))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let end = Instant::now() + limit;
        let mut bytes = [0; 100];
        loop {
            // Nobody may be there yet.
            let answer = socket.send(b"question").and_then(|_| socket.recv(&mut bytes));
            if answer.is_ok() || Instant::now() > end {
                return answer.map(|n| bytes[..n].to_vec());
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let script = format!(
        "udpsvd -E 0 7 sh -c 'touch /tmp/asked; cat' &
        echo hello | nc -u -w 1 10.0.2.2 {port}
        while [ ! -e /tmp/asked ]; do sleep 0.1; done
        sleep 1
        ping -c 1 -q 10.0.2.2 | grep -o '1 packets received'"
    );
    let output = guest(target, &["--publish", &format!("{published}:7/udp")], &script)?;
    expect(&output, "hello\n1 packets received")?;
    let answer =
        asker.join().map_err(|_| Error::new("the asker has ended"))?.at("the guest's answer")?;
    expect(&String::from_utf8_lossy(&answer), "question")
}

fn refused(target: Target) -> Outcome {
    let port = free_port()?;
    let script = format!(
        "for host in 10.0.2.2 10.0.2.3 224.0.0.1; do
            wget -T 20 -O - http://$host:{port}/ 2>&1 | grep -o -i -e refused -e unreachable
        done
        cut -d. -f1 /proc/uptime | grep -q -E '^.$|^1.$' && echo soon"
    );
    let output = guest(target, &[], &script)?;
    let is_right = output.starts_with("refused\nrefused\n") && output.ends_with("soon\n");
    if is_right { Ok(()) } else { Err(Error::new(output).into()) }
}

/// All are open before the first one is closed.
fn many(target: Target) -> Outcome {
    const COUNT: usize = 200;
    let port = free_port()?;
    let limit = machine::limit(target, LIMIT) / 2;
    let asker = thread::spawn(move || -> io::Result<usize> {
        ask(port, b"first\n", limit)?;
        let connect = |n: usize| -> io::Result<TcpStream> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_read_timeout(Some(limit))?;
            writeln!(stream, "number {n}")?;
            Ok(stream)
        };
        let all: Vec<TcpStream> = (0..COUNT).map(connect).collect::<io::Result<_>>()?;
        let mut right = 0;
        for (n, mut stream) in all.into_iter().enumerate() {
            let mut text = [0; 32];
            let len = stream.read(&mut text)?;
            right += usize::from(text[..len] == *format!("number {n}\n").as_bytes());
        }
        ask(port, b"last\n", limit)?;
        Ok(right)
    });
    let script = "tcpsvd -c 1000 -b 1000 -E 0 7 sh -c '
            read -r line; echo \"$line\"
            case $line in first) ;; last) touch /tmp/last ;; *) cat ;; esac' &
        while [ ! -e /tmp/last ]; do sleep 0.1; done
        sleep 0.2; echo ended";
    let output = guest(target, &["--publish", &format!("{port}:7")], script)?;
    expect(&output, "ended")?;
    let right =
        asker.join().map_err(|_| Error::new("the asker has ended"))?.at("the guest's answers")?;
    if right == COUNT {
        Ok(())
    } else {
        Err(Error::new(format!("{right} answers of {COUNT} are right")).into())
    }
}

/// One after the other, each with an answer.
fn storm(target: Target) -> Outcome {
    let count = if target == linnet_build::host()? { 500 } else { 50 };
    let port = serve(Ipv4Addr::LOCALHOST, |mut stream| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        stream.write_all(&bytes)
    })?;
    let script = format!(
        "for n in $(seq 1 {count}); do echo $n | nc 10.0.2.2 {port}; done | sort -n | uniq | wc -l"
    );
    expect(&guest(target, &[], &script)?, &count.to_string())
}
