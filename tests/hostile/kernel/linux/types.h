/* What the header of the host calls needs of Linux. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef u32 __le32;
