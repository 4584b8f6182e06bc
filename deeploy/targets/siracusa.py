"""Siracusa: eight RV32 cores with Xpulp instructions, 256 KiB of L1, 2 MiB of L2, the accelerator
N-EUREKA with 4 MiB of weight memory.

Sources: arXiv 2312.14750 (Siracusa) for memories and links, the memory map of its SDK for sizes.
"""

from deeploy.targets import Link, Memory, Power, Target

POWER = Power(base=45.0, core=14.0, idle_core=2.0, dma=8.0, npu=160.0, uncertainty=0.4)
"""Two published figures bind these numbers: a small language model takes 166.6 mW (340 tokens/s at
490 µJ, arXiv 2408.04413), here with the cores at work for 70 % of the time, the accelerator for
20 % and the DMA for half of it; and 1.95 TOp/s at 8.84 TOp/J (arXiv 2312.14750) are 221 mW with the
accelerator at work and the cores waiting. How the rest divides is assumed."""

TARGET = Target(
    name="siracusa",
    cores=8,
    compute="L1",
    io="L2",
    memories=(
        # 262,144 bytes, of which the stacks of the cores and the runtime take the rest
        Memory("L1", size=212_000, align=16, persistent=True, address=0x10000000),
        # shared part of L2
        Memory("L2", size=0x1F0000, align=16, persistent=True, address=0x1C010000),
        # N-EUREKA counts addresses of its weight memory from 0x10400000: 4 MiB of MRAM, and from
        # 0x10800000 the 4 MiB of SRAM taken here. Weights are read in rows of 256 bits.
        Memory(
            "WMEM",
            size=1 << 22,
            align=32,
            persistent=True,
            activations=False,
            engine="neureka",
            address=0x10800000 - 0x10400000,
        ),
    ),
    links=(
        # 64-bit port; about 17 cycles until the first byte, and about 50 for anything up to 256
        # bytes, measured with GVSoC
        Link("L1", "L2", bytes_per_cycle=8.0, setup_cycles=17, least_cycles=50),
    ),
    engines=("cluster", "neureka"),
    # event unit: 10 to 15 cycles (arXiv 2004.06662)
    barrier_cycles=15,
    # derived: about three instructions for each access, as in engines/neureka/timing.py
    register_cycles=3,
    # derived from the generated C: a loop turn, two divisions by constants, a condition
    tile_cycles=20,
    # nominal maximum, derived from the bandwidths of its ports (arXiv 2312.14750)
    clock_hz=360_000_000,
    power=POWER,
    summary="8 RV32 cores with Xpulp, N-EUREKA, 212 kB of L1, 2 MiB of L2, 4 MiB for weights",
)
