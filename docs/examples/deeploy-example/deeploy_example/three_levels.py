"""A made-up chip with three levels of memory: constants may lie in a large external one."""

from deeploy.targets import Link, Memory, Target

TARGET = Target(
    name="three-levels",
    cores=4,
    compute="L1",
    io="L2",
    memories=(
        Memory("L1", size=64_000, align=16, persistent=True),
        Memory("L2", size=256_000, align=16, persistent=True),
        # read only: the network's constants are there when the program starts
        Memory("L3", size=8 << 20, align=16, persistent=True, activations=False),
    ),
    links=(
        Link("L1", "L2", bytes_per_cycle=8.0, setup_cycles=17),
        Link("L1", "L3", bytes_per_cycle=0.5, setup_cycles=200),
    ),
    summary="4 cores, 64 kB of L1, 256 kB of L2, 8 MiB of external memory",
)
