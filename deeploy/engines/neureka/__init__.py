"""N-EUREKA, the neural accelerator of Siracusa: layout of weights, cycles, registers."""
