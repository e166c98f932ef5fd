//! Which commands there are: one variant a command and a subcommand.
//!
//! Knows their names and nothing else; their facts are in the table.

macro_rules! commands {
    ($($variant:ident = $name:literal,)+) => {
        /// A command, or a subcommand with its container's name before its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CommandId {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
        }

        impl CommandId {
            /// Every command and subcommand.
            pub const ALL: &'static [CommandId] = &[$(CommandId::$variant),+];

            /// The full name in small letters: `get`, `client|id`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(CommandId::$variant => $name,)+
                }
            }
        }
    };
}

commands! {
    Ping = "ping",
    Echo = "echo",
    Hello = "hello",
    Auth = "auth",
    Select = "select",
    Quit = "quit",
    Reset = "reset",
    Acl = "acl",
    AclCat = "acl|cat",
    AclGetuser = "acl|getuser",
    AclList = "acl|list",
    AclLog = "acl|log",
    AclUsers = "acl|users",
    AclWhoami = "acl|whoami",
    AclHelp = "acl|help",
    Client = "client",
    ClientId = "client|id",
    ClientInfo = "client|info",
    ClientList = "client|list",
    ClientSetname = "client|setname",
    ClientGetname = "client|getname",
    ClientSetinfo = "client|setinfo",
    ClientNoEvict = "client|no-evict",
    ClientTracking = "client|tracking",
    ClientTrackinginfo = "client|trackinginfo",
    ClientCaching = "client|caching",
    ClientGetredir = "client|getredir",
    ClientKill = "client|kill",
    ClientHelp = "client|help",
    Command = "command",
    CommandCount = "command|count",
    CommandInfo = "command|info",
    CommandDocs = "command|docs",
    CommandGetkeys = "command|getkeys",
    CommandList = "command|list",
    CommandHelp = "command|help",
    Info = "info",
    Dbsize = "dbsize",
    Flushall = "flushall",
    Flushdb = "flushdb",
    Time = "time",
    Config = "config",
    ConfigGet = "config|get",
    ConfigSet = "config|set",
    ConfigResetstat = "config|resetstat",
    ConfigHelp = "config|help",
    Memory = "memory",
    MemoryUsage = "memory|usage",
    MemoryHelp = "memory|help",
    Append = "append",
    Decr = "decr",
    Decrby = "decrby",
    Get = "get",
    Getdel = "getdel",
    Getex = "getex",
    Getrange = "getrange",
    Getset = "getset",
    Incr = "incr",
    Incrby = "incrby",
    Incrbyfloat = "incrbyfloat",
    Mget = "mget",
    Mset = "mset",
    Msetnx = "msetnx",
    Psetex = "psetex",
    Set = "set",
    Setex = "setex",
    Setnx = "setnx",
    Setrange = "setrange",
    Strlen = "strlen",
    Substr = "substr",
    Del = "del",
    Unlink = "unlink",
    Exists = "exists",
    Type = "type",
    Touch = "touch",
    Scan = "scan",
    Keys = "keys",
    Randomkey = "randomkey",
    Rename = "rename",
    Renamenx = "renamenx",
    Copy = "copy",
    Expire = "expire",
    Pexpire = "pexpire",
    Expireat = "expireat",
    Pexpireat = "pexpireat",
    Expiretime = "expiretime",
    Pexpiretime = "pexpiretime",
    Ttl = "ttl",
    Pttl = "pttl",
    Persist = "persist",
    Object = "object",
    ObjectEncoding = "object|encoding",
    ObjectRefcount = "object|refcount",
    ObjectIdletime = "object|idletime",
    ObjectFreq = "object|freq",
    ObjectHelp = "object|help",
    Cluster = "cluster",
    Readonly = "readonly",
    Readwrite = "readwrite",
    Asking = "asking",
    ClusterInfo = "cluster|info",
    ClusterMyid = "cluster|myid",
    ClusterSlots = "cluster|slots",
    ClusterShards = "cluster|shards",
    ClusterNodes = "cluster|nodes",
    ClusterKeyslot = "cluster|keyslot",
    ClusterCountkeysinslot = "cluster|countkeysinslot",
    ClusterGetkeysinslot = "cluster|getkeysinslot",
    ClusterHelp = "cluster|help",
    Partition = "partition",
    PartitionFlush = "partition|flush",
    PartitionKeys = "partition|keys",
    PartitionLen = "partition|len",
    PartitionRandomkey = "partition|randomkey",
    PartitionScan = "partition|scan",
    PartitionHelp = "partition|help",
}
