"""A chip with four cores and the matrix unit. Its numbers are made up."""

from deeploy.targets import Link, Memory, Target

TARGET = Target(
    name="systolic-soc",
    cores=4,
    compute="L1",
    io="L2",
    memories=(
        Memory("L1", size=128_000, align=16, persistent=True),
        Memory("L2", size=2 << 20, align=16, persistent=True),
    ),
    links=(Link("L1", "L2", bytes_per_cycle=8.0, setup_cycles=17),),
    # in order of preference: an op starts on the cores, and the plan decides what the unit takes
    engines=("cluster", "systolic"),
    summary="4 cores, a 16x16 systolic matrix unit, 128 kB of L1, 2 MiB of L2",
)
