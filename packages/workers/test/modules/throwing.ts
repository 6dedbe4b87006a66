throw new Error("the sky is falling")
