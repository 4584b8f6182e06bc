"""The machine the compiler runs on, with small memories: for tests and for a first look."""

from deeploy.targets import Link, Memory, Target

TARGET = Target(
    name="host",
    cores=1,
    compute="L1",
    io="L2",
    memories=(
        Memory("L1", size=128_000, align=16, persistent=True),
        Memory("L2", size=16 << 20, align=16, persistent=True),
    ),
    links=(Link("L1", "L2", bytes_per_cycle=8.0, setup_cycles=16),),
    barrier_cycles=20,
    summary="one core of the machine at hand, 128 kB of L1, 16 MiB of L2",
)
