//! Connections: the guest's end of each is a socket of smoltcp's, the other a socket of the host.
//!
//! A connection of the guest is answered when that of the host is there, so the guest sees what the host
//! sees: a connection, a refusal, or nothing yet. Each has a set of sockets to itself. So what a packet
//! takes does not depend on how many connections there are.

use super::addresses::{self, Addresses};
use super::link::{Link, Unplugged, instant};
use super::table::{Kind, Table, index};
use super::{Listener, Packet};
use crate::Context;
use crate::sys::{self, Epoll, Errno, Fd};
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use hashbrown::HashMap;
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{self, Socket, State};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr, IpListenEndpoint, TcpPacket};

/// Most connections of a machine. Who begins another one is not answered until there is room.
pub const MAX_CONNECTIONS: usize = 8192;

/// Bytes on the way in one direction: less if there are many connections.
fn buffer_size(connections: usize) -> usize {
    match connections {
        0..64 => 1 << 20,
        64..512 => 256 << 10,
        512..2048 => 64 << 10,
        _ => 16 << 10,
    }
}

/// The guest's end and the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    guest: SocketAddr,
    other: SocketAddr,
}

/// How far it is.
#[derive(Debug)]
enum Stage {
    /// The host's side is being connected; the guest's first packet.
    Connecting(Vec<u8>),
    Connected,
}

struct Connection {
    key: Key,
    fd: Fd,
    sockets: SocketSet<'static>,
    stage: Stage,
    /// The host's socket may have something to read, or room.
    readable: bool,
    writable: bool,
    /// The host's side has nothing more to say.
    ended: bool,
    /// The host's side knows that the guest has nothing more to say.
    shut: bool,
    /// It is in the list of those to look at.
    is_dirty: bool,
    deadline: Option<Instant>,
}

/// All of them.
pub struct Connections {
    interface: Option<Interface>,
    table: Table<Connection>,
    keys: HashMap<Key, u64>,
    dirty: Vec<u64>,
    deadline: Option<Instant>,
    listeners: Vec<Listener>,
    /// Those at which somebody may be waiting.
    waiting: Vec<bool>,
    next_port: u16,
    /// For packets that belong to none.
    nobody: SocketSet<'static>,
}

/// What to do with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lives,
    Ended,
    /// The guest has ended it before its time.
    Broken,
}

impl Connections {
    pub fn new(listeners: Vec<Listener>) -> Connections {
        Connections {
            interface: None,
            table: Table::new(Kind::Connection),
            keys: HashMap::new(),
            dirty: Vec::new(),
            deadline: None,
            waiting: vec![false; listeners.len()],
            listeners,
            next_port: 32768,
            nobody: SocketSet::new(Vec::new()),
        }
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.table.len()
    }

    /// Is it a token of ours?
    pub fn owns(token: u64) -> bool {
        matches!(Kind::of(token), Some(Kind::Connection | Kind::Listener))
    }

    pub fn begin(&mut self, epoll: &Epoll) -> sys::Result<()> {
        for (n, listener) in self.listeners.iter().enumerate() {
            epoll.add(listener.fd.number(), sys::IN | sys::EDGE, Kind::Listener.token(n))?;
        }
        Ok(())
    }

    /// The guest begins anew: what is connected to it is not any more.
    pub fn reset(&mut self, link: &Link) {
        let all: Vec<u64> = self.table.iter().map(|(token, _)| token).collect();
        for token in all {
            if let Some(connection) = self.table.remove(token) {
                sys::reset(connection.fd);
            }
        }
        self.table.clear();
        self.keys.clear();
        self.dirty.clear();
        self.deadline = None;
        self.interface = Some(interface(link));
    }

    pub fn deadline(&self) -> Option<u64> {
        self.deadline.map(|deadline| deadline.total_micros() as u64 * 1000)
    }

    /// A packet of the guest.
    pub fn packet(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link,
        addresses: &mut Addresses,
        packet: &Packet<'_>,
        tcp: &TcpPacket<&[u8]>,
    ) {
        if !Addresses::is_guest(packet.from) {
            return;
        }
        addresses.learn(packet.from);
        let key = Key {
            guest: SocketAddr::new(packet.from, tcp.src_port()),
            other: SocketAddr::new(packet.to, tcp.dst_port()),
        };
        let Some(token) = self.keys.get(&key).copied() else {
            if !tcp.syn() || tcp.ack() || tcp.rst() {
                return self.refuse(context, link, packet.bytes);
            }
            return self.connect(context, link, addresses, key, packet.bytes);
        };
        let Some(connection) = self.table.get_mut(token) else { return };
        if matches!(connection.stage, Stage::Connecting(_)) {
            if tcp.rst() {
                self.remove(token);
            }
            return;
        }
        let Some(interface) = &mut self.interface else { return };
        let now = instant(context.now);
        let mut device = link.device(context, Some(packet.bytes));
        interface.poll_ingress_single(now, &mut device, &mut connection.sockets);
        self.mark(token);
    }

    /// A packet that belongs to no connection is answered with a reset.
    fn refuse(&mut self, context: &mut Context<'_>, link: &mut Link, packet: &[u8]) {
        let Some(interface) = &mut self.interface else { return };
        let now = instant(context.now);
        let mut device = link.device(context, Some(packet));
        interface.poll_ingress_single(now, &mut device, &mut self.nobody);
    }

    /// The guest begins a connection.
    fn connect(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link,
        addresses: &Addresses,
        key: Key,
        packet: &[u8],
    ) {
        let Some(to) = addresses.on_host(key.other) else {
            return self.refuse(context, link, packet);
        };
        if self.table.len() >= MAX_CONNECTIONS {
            return;
        }
        let fd = match sys::connected(sys::Kind::Stream, to) {
            Ok(fd) => fd,
            // The guest tries again.
            Err(
                Errno::MFILE
                | Errno::NFILE
                | Errno::NOBUFS
                | Errno::NOMEM
                | Errno::AGAIN
                | Errno::ADDRNOTAVAIL,
            ) => return,
            Err(_) => return self.refuse(context, link, packet),
        };
        self.add(context, key, fd, Stage::Connecting(packet.to_vec()), SocketSet::new(Vec::new()));
    }

    fn add(
        &mut self,
        context: &Context<'_>,
        key: Key,
        fd: Fd,
        stage: Stage,
        sockets: SocketSet<'static>,
    ) -> Option<u64> {
        // Without delays, as the guest decides itself what to send when.
        let _ = sys::set_option(&fd, sys::TCP, sys::TCP_NODELAY, 1);
        let events = sys::IN | sys::OUT | sys::RDHUP | sys::EDGE;
        context.epoll.add(fd.number(), events, self.table.next_token()).ok()?;
        let token = self.table.insert(Connection {
            key,
            fd,
            sockets,
            stage,
            readable: false,
            writable: true,
            ended: false,
            shut: false,
            is_dirty: false,
            deadline: None,
        });
        self.keys.insert(key, token);
        Some(token)
    }

    fn remove(&mut self, token: u64) -> Option<Fd> {
        let connection = self.table.remove(token)?;
        self.keys.remove(&connection.key);
        Some(connection.fd)
    }

    fn mark(&mut self, token: u64) {
        if let Some(connection) = self.table.get_mut(token)
            && !core::mem::replace(&mut connection.is_dirty, true)
        {
            self.dirty.push(token);
        }
    }

    /// Something happened to a socket of the host.
    pub fn event(&mut self, context: &mut Context<'_>, link: &mut Link, token: u64, events: u32) {
        if Kind::of(token) == Some(Kind::Listener) {
            if let Some(waiting) = self.waiting.get_mut(index(token)) {
                *waiting = true;
            }
            return;
        }
        let count = self.table.len();
        let Some(connection) = self.table.get_mut(token) else { return };
        if let Stage::Connecting(packet) = &mut connection.stage {
            if events & (sys::OUT | sys::ERR | sys::HUP) == 0 {
                return;
            }
            let packet = core::mem::take(packet);
            if sys::error(&connection.fd).is_some() {
                self.remove(token);
                return self.refuse(context, link, &packet);
            }
            connection.stage = Stage::Connected;
            let other = connection.key.other;
            let mut socket = new_socket(count);
            let at = IpListenEndpoint { addr: Some(other.ip().into()), port: other.port() };
            // It is new, and the port is not 0.
            let _ = socket.listen(at);
            connection.sockets.add(socket);
            let Some(interface) = &mut self.interface else { return };
            let now = instant(context.now);
            let mut device = link.device(context, Some(&packet));
            interface.poll_ingress_single(now, &mut device, &mut connection.sockets);
        }
        connection.readable |= events & !sys::OUT != 0;
        connection.writable |= events & !sys::IN != 0;
        self.mark(token);
    }

    /// Move what there is between both sides of all connections that something happened to.
    pub fn flush(&mut self, context: &mut Context<'_>, link: &mut Link, addresses: &Addresses) {
        self.accept(context, link, addresses);
        let now = instant(context.now);
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.find_due(now);
        }
        let mut dirty = core::mem::take(&mut self.dirty);
        let mut rest = dirty.len();
        for (n, token) in dirty.iter().enumerate() {
            if !context.guest.has_room() {
                rest = n;
                break;
            }
            let Some(connection) = self.table.get_mut(*token) else { continue };
            let Some(interface) = &mut self.interface else { continue };
            connection.is_dirty = false;
            let fate = connection.exchange(interface, context, link);
            match fate {
                Fate::Lives => {
                    let deadline = connection.deadline;
                    let is_stuck = !context.guest.has_room();
                    self.deadline = [self.deadline, deadline].into_iter().flatten().min();
                    if is_stuck {
                        self.mark(*token);
                    }
                }
                Fate::Ended => drop(self.remove(*token)),
                Fate::Broken => {
                    if let Some(fd) = self.remove(*token) {
                        sys::reset(fd);
                    }
                }
            }
        }
        // Those that there was no room for come first the next time.
        dirty.drain(..rest);
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
    }

    fn find_due(&mut self, now: Instant) {
        let mut due = Vec::new();
        self.deadline = None;
        for (token, connection) in self.table.iter() {
            match connection.deadline {
                Some(deadline) if deadline <= now => due.push(token),
                Some(deadline) => {
                    self.deadline =
                        Some(self.deadline.map_or(deadline, |least| least.min(deadline)));
                }
                None => {}
            }
        }
        due.into_iter().for_each(|token| self.mark(token));
    }

    /// Let in who waits at published ports, once the guest is there.
    fn accept(&mut self, context: &mut Context<'_>, link: &mut Link, addresses: &Addresses) {
        for n in 0..self.listeners.len() {
            while self.waiting[n] && link.guest.is_some() && self.table.len() < MAX_CONNECTIONS {
                match sys::accept(&self.listeners[n].fd) {
                    Ok((fd, _)) => self.enter(context, addresses, n, fd),
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => self.waiting[n] = false,
                    // Such as no descriptors: when something ends, there are.
                    Err(_) => break,
                }
            }
        }
    }

    /// Connect to the guest for somebody of the host.
    fn enter(&mut self, context: &mut Context<'_>, addresses: &Addresses, n: usize, fd: Fd) {
        let Listener { guest, is_ipv4, .. } = self.listeners[n];
        let address = addresses.guest(is_ipv4);
        let guest = SocketAddr::new(address, guest);
        let gateway = addresses::gateway(address.is_ipv4());
        let Some(key) = self.free_key(guest, gateway) else { return };
        let mut socket = new_socket(self.table.len());
        let Some(interface) = &mut self.interface else { return };
        let ends = ((guest.ip(), guest.port()), (gateway, key.other.port()));
        if socket.connect(interface.context(), ends.0, ends.1).is_err() {
            return;
        }
        let mut sockets = SocketSet::new(Vec::new());
        sockets.add(socket);
        if let Some(token) = self.add(context, key, fd, Stage::Connected, sockets) {
            self.mark(token);
        }
    }

    /// A port of the gateway that has no connection to that port of the guest.
    fn free_key(&mut self, guest: SocketAddr, gateway: IpAddr) -> Option<Key> {
        for _ in 0..=MAX_CONNECTIONS {
            self.next_port = if self.next_port >= 60_999 { 32_768 } else { self.next_port + 1 };
            let key = Key { guest, other: SocketAddr::new(gateway, self.next_port) };
            if !self.keys.contains_key(&key) {
                return Some(key);
            }
        }
        None
    }
}

impl Connection {
    /// Move what there is in both directions.
    fn exchange(
        &mut self,
        interface: &mut Interface,
        context: &mut Context<'_>,
        link: &mut Link,
    ) -> Fate {
        let now = instant(context.now);
        let Some((handle, _)) = self.sockets.iter().next() else { return Fate::Lives };
        loop {
            let moved = self.receive_host(handle);
            self.send_host(handle);
            let mut device = link.device(context, None);
            // A packet at a time.
            while interface.poll_egress(now, &mut device, &mut self.sockets) != PollResult::None {}
            // The buffer was full, and the guest had room for all of it.
            if !(moved
                && self.readable
                && self.socket(handle).can_send()
                && context.guest.has_room())
            {
                break;
            }
        }
        let wanted = interface.poll_at(now, &self.sockets);
        // What is wanted now waits for room, or for the guest.
        self.deadline = wanted.filter(|deadline| *deadline > now);
        match self.socket(handle).state() {
            State::Closed if self.ended && self.shut => Fate::Ended,
            State::Closed => Fate::Broken,
            State::TimeWait => Fate::Ended,
            _ => Fate::Lives,
        }
    }

    fn socket(&mut self, handle: SocketHandle) -> &mut Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// From the host's side to the guest's; whether there was anything.
    fn receive_host(&mut self, handle: SocketHandle) -> bool {
        let mut moved = false;
        let (fd, socket) = (&self.fd, self.sockets.get_mut::<Socket<'_>>(handle));
        while self.readable && !self.ended && socket.can_send() {
            let received = socket.send(|room| match sys::receive(fd, room) {
                Ok(n) => (n, Ok(n)),
                Err(errno) => (0, Err(errno)),
            });
            match received {
                Ok(Ok(0)) => {
                    self.ended = true;
                    socket.close();
                }
                Ok(Ok(_)) => moved = true,
                Ok(Err(Errno::AGAIN)) => self.readable = false,
                Ok(Err(Errno::INTR)) => {}
                Ok(Err(_)) | Err(_) => {
                    socket.abort();
                    break;
                }
            }
        }
        moved
    }

    /// From the guest's side to the host's.
    fn send_host(&mut self, handle: SocketHandle) {
        let (fd, socket) = (&self.fd, self.sockets.get_mut::<Socket<'_>>(handle));
        while self.writable && socket.can_recv() {
            let sent = socket.recv(|bytes| match sys::send(fd, bytes) {
                Ok(n) => (n, Ok(())),
                Err(errno) => (0, Err(errno)),
            });
            match sent {
                Ok(Ok(())) | Ok(Err(Errno::INTR)) => {}
                Ok(Err(Errno::AGAIN)) => self.writable = false,
                Ok(Err(_)) | Err(_) => {
                    socket.abort();
                    break;
                }
            }
        }
        let is_over = matches!(
            socket.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait
        );
        if is_over && !socket.can_recv() && !core::mem::replace(&mut self.shut, true) {
            sys::shut_down(fd);
        }
    }
}

fn new_socket(connections: usize) -> Socket<'static> {
    let size = buffer_size(connections);
    let buffer = || tcp::SocketBuffer::new(vec![0; size]);
    let mut socket = Socket::new(buffer(), buffer());
    socket.set_nagle_enabled(false);
    socket.set_ack_delay(None);
    socket
}

/// smoltcp's, with the gateway's addresses. It answers for all others as well.
fn interface(link: &Link) -> Interface {
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = sys::random();
    let mut interface = Interface::new(config, &mut Unplugged(link), instant(sys::now()));
    interface.set_any_ip(true);
    interface.update_ip_addrs(|list| {
        let gateways = [
            (IpAddr::V4(addresses::GATEWAY), addresses::PREFIX_LEN),
            (IpAddr::V6(addresses::GATEWAY6), addresses::PREFIX_LEN6),
        ];
        list.extend(gateways.map(|(address, len)| IpCidr::new(address.into(), len)));
    });
    let routes = interface.routes_mut();
    // There is room for two.
    let _ = routes.add_default_ipv4_route(addresses::GATEWAY);
    let _ = routes.add_default_ipv6_route(addresses::GATEWAY6);
    interface
}
