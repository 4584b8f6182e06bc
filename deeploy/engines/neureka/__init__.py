"""N-EUREKA, the neural accelerator of Siracusa: what it takes, weights, cycles, registers."""

from deeploy.dialects.graph import ConvOp, DepthwiseConvOp, MatmulOp
from deeploy.dialects.npu import ConvOp as NpuConvOp
from deeploy.engines import Engine
from deeploy.engines.neureka.conv import ConvJobs
from deeploy.engines.neureka.conversions import (
    ConvertConv,
    ConvertDepthwise,
    ConvertLinear,
    ConvertToColumns,
    Sums,
)
from deeploy.engines.neureka.driver import NeurekaDriver
from deeploy.engines.neureka.sharing import ShareLinear

ENGINE = Engine(
    name="neureka",
    summary="N-EUREKA: convolutions and linear layers with constant weights of 2 to 8 bits",
    # 698 GOp/s at 360 MHz with weights of 8 bits (arXiv 2312.14750)
    peak_operations=1939.0,
    on_cores=False,
    kernels={NpuConvOp: ConvJobs()},
    driver=NeurekaDriver(),
    conversions={
        ConvOp: (ConvertConv(), ConvertToColumns(), Sums(ConvertConv())),
        DepthwiseConvOp: (ConvertDepthwise(), Sums(ConvertDepthwise())),
        MatmulOp: (ConvertLinear(), Sums(ConvertLinear()), ShareLinear()),
    },
)
